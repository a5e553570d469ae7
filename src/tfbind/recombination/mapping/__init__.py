"""From genotypes to a map: the network of rates, its posterior, contig by contig."""
