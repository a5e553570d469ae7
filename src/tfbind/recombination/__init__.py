"""How fast a genome recombines: simulated truth, maps, and their evaluation."""
