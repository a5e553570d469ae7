"""What a model has learned: contributions of bases, motifs and their names."""
