"""From tensors to a model: training examples, the linear start, fitting, and choosing among models."""
