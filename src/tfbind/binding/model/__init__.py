"""A trained binding model as a value: from its file to calibrated probabilities."""
