"""Genotypes of a sample of chromosomes: read, masked, and turned into what tells of recombination."""
