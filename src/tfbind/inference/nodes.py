"""What the parts of an OpenVINO graph are made with."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from openvino import opset15 as op

# an output of one of openvino's nodes, or a node with one output: both are what its operations take
Node = Any


class UnconvertibleError(RuntimeError):
    """A layer, or an option of one, that has no counterpart in OpenVINO here; the engine then is Keras."""


class Layer(NamedTuple):
    """A layer of a saved network.

    config : what the layer's ``get_config`` gave
    weights : arrays by their place within the layer, such as ``vars/0`` or ``cell/vars/1``
    """

    config: dict[str, Any]
    weights: dict[str, np.ndarray]

    def demand(self, **expected: Any) -> None:
        """Refuse options with another value than the one that is converted; absent ones pass."""
        for name, value in expected.items():
            found = self.config.get(name, value)
            if found != value:
                raise UnconvertibleError(
                    f"layer {self.config['name']!r} has {name} {found!r}, expected {value!r}"
                )


class ChannelsFirst(NamedTuple):
    """A sequence as convolutions read and leave it, where all other layers have its steps first.

    node : (n, features, steps) float32
    zeros : steps of zeros that are to be thought behind it
    """

    node: Node
    zeros: int = 0


def channels_first(sequence: Node | ChannelsFirst) -> Node:
    """Give (n, features, steps), whatever comes in."""
    if not isinstance(sequence, ChannelsFirst):
        return transposed(sequence, 0, 2, 1)
    if not sequence.zeros:
        return sequence.node
    return op.pad(sequence.node, ints(0, 0, 0), ints(0, 0, sequence.zeros), "constant", floats(0.0))


def steps_first(value: Node | ChannelsFirst | None) -> Node | None:
    """Give (n, steps, features) for what a convolution left, and everything else as it is."""
    return transposed(channels_first(value), 0, 2, 1) if isinstance(value, ChannelsFirst) else value


def transposed(node: Node, *order: int) -> Node:
    """Put the axes into another order."""
    return op.transpose(node, ints(*order))


def size(node: Node, axis: int) -> int:
    """How long an axis is; that of the sequences, 0, is unknown while the graph is built."""
    output = node if hasattr(node, "get_partial_shape") else node.output(0)
    return output.get_partial_shape()[axis].get_length()


def floats(values: Any) -> Node:
    """Make a float32 constant."""
    return op.constant(np.array(values, np.float32, order="C"))


def ints(*values: int) -> Node:
    """Make an int64 constant with an axis: a shape, an order of axes, axes."""
    return op.constant(np.array(values, np.int64))


def number(value: int) -> Node:
    """Make an int32 constant without an axis."""
    return op.constant(np.int32(value))


def activated(name: str, node: Node) -> Node:
    """Apply one of Keras's activations."""
    if name == "linear":
        return node
    if name == "gelu":
        return op.gelu(node, "erf")
    if name in ("relu", "tanh", "sigmoid"):
        return getattr(op, name)(node)
    raise UnconvertibleError(f"activation {name!r}")
