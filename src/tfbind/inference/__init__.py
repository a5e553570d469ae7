"""Engines that turn batches of tensors into logits."""

ENGINES = ("auto", "keras")
