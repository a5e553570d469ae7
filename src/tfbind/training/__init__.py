"""Fitting networks: the loop, its checkpoints and history, and the model file."""
