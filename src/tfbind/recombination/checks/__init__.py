"""Whether a sample is fit to be mapped: relatives, structure, clones."""
