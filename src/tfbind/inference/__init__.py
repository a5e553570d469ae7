"""Engines that turn batches of tensors into logits."""

ENGINES = ("auto", "keras", "openvino")
PRECISIONS = ("f32", "bf16")
