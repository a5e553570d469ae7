"""Network definitions: the only place that builds Keras layers."""
