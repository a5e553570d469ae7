"""Turning inputs into tensors: sources of sequences, negatives, and what a network reads."""
