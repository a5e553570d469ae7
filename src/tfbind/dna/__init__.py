"""DNA: letters, FASTA, peaks and genomes, negatives, splits and simulated sequences."""
