"""Background sequence: a recurrent network that learns a genome's next base, and sequences drawn from it."""
