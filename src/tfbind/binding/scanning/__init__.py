"""Applying a model: windows of sequences, tables of scores, calls, tracks and variants."""
