"""Engines that turn batches of tensors into logits."""
