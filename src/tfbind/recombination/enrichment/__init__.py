"""The rate around sites against matched controls."""
