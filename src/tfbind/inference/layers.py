"""Keras's layers that look at one step or at a few, as OpenVINO operations.

Here, in `tfbind.inference.recurrent` and in `tfbind.inference.padding` each function takes the layer and what
the layer is called with, and gives what it returns. Sequences are (n, steps, features) float32, or
`ChannelsFirst` as a convolution left them.
"""

from __future__ import annotations

import numpy as np
from openvino import opset15 as op

from tfbind.inference.nodes import (
    ChannelsFirst,
    Layer,
    Node,
    UnconvertibleError,
    activated,
    channels_first,
    floats,
    ints,
    number,
    size,
    transposed,
)


def rescaling(layer: Layer, x: Node) -> Node:
    """One-hot bases as floats."""
    layer.demand(scale=1.0, offset=0.0)
    return op.convert(x, "f32")


def embedding(layer: Layer, tokens: Node) -> Node:
    """A vector for each k-mer."""
    layer.demand(mask_zero=False)
    return op.gather(floats(layer.weights["vars/0"]), tokens, number(0))


def conv1d(layer: Layer, sequence: Node | ChannelsFirst) -> ChannelsFirst:
    """A convolution that keeps the number of steps."""
    layer.demand(strides=[1], padding="same", dilation_rate=[1], groups=1, data_format="channels_last")
    kernel = layer.weights["vars/0"]
    left = (len(kernel) - 1) // 2
    h = op.convolution(
        channels_first(sequence),
        floats(kernel.transpose(2, 1, 0)),
        strides=[1],
        pads_begin=[left],
        pads_end=[len(kernel) - 1 - left],
        dilations=[1],
    )
    if layer.config["use_bias"]:
        h = op.add(h, floats(layer.weights["vars/1"][:, None]))
    return ChannelsFirst(activated(layer.config["activation"], h))


def batch_normalization(layer: Layer, sequence: Node | ChannelsFirst) -> ChannelsFirst:
    """One multiplication and one addition a channel; OpenVINO folds them into a convolution before."""
    scale, offset = scale_and_offset(layer)
    scaled = op.multiply(channels_first(sequence), floats(scale[:, None]))
    return ChannelsFirst(op.add(scaled, floats(offset[:, None])))


def scale_and_offset(layer: Layer) -> tuple[np.ndarray, np.ndarray]:
    """What batch normalization multiplies each channel with, and then adds: (channels,) float64 each."""
    layer.demand(axis=-1, center=True, scale=True)
    gamma, beta, mean, variance = (layer.weights[f"vars/{i}"].astype(np.float64) for i in range(4))
    scale = gamma / np.sqrt(variance + layer.config["epsilon"])
    return scale, beta - mean * scale


def relu(layer: Layer, h: Node | ChannelsFirst) -> Node | ChannelsFirst:
    """Nothing below zero."""
    layer.demand(max_value=None, negative_slope=0.0, threshold=0.0)
    return ChannelsFirst(op.relu(h.node), h.zeros) if isinstance(h, ChannelsFirst) else op.relu(h)


def dropout(layer: Layer, h: Node | ChannelsFirst) -> Node | ChannelsFirst:
    """Nothing, outside training."""
    return h


def zero_padding(layer: Layer, sequence: Node | ChannelsFirst) -> ChannelsFirst:
    """Zeros on the right, which are only noted: a pooling that follows need not have them written."""
    left, right = layer.config["padding"]
    if left:
        raise UnconvertibleError(f"layer {layer.config['name']!r} pads on the left")
    return ChannelsFirst(channels_first(sequence), right)


def max_pooling(layer: Layer, sequence: Node | ChannelsFirst) -> ChannelsFirst:
    """The highest of each few steps; of numbers that are not negative, where zeros follow them."""
    (width,) = layer.config["pool_size"]
    layer.demand(strides=[width], padding="valid")
    if not isinstance(sequence, ChannelsFirst):
        sequence = ChannelsFirst(channels_first(sequence))
    steps = size(sequence.node, 2)
    if (steps + sequence.zeros) % width or sequence.zeros >= width:
        raise UnconvertibleError(
            f"layer {layer.config['name']!r} pools {steps} steps and {sequence.zeros} zeros by {width}"
        )
    # each pool holds a step, beside which zero and what OpenVINO pads with, lower than everything, are one
    return ChannelsFirst(op.max_pool(sequence.node, [width], [1], [0], [sequence.zeros], [width]).output(0))


def global_max_pooling(layer: Layer, sequence: Node | ChannelsFirst) -> Node:
    """The highest of all steps."""
    layer.demand(keepdims=False)
    return op.reduce_max(channels_first(sequence), ints(2), False)


def dense(layer: Layer, h: Node) -> Node:
    """A product with a matrix, a bias and an activation."""
    layer.demand(use_bias=True)
    product = op.matmul(h, floats(layer.weights["vars/0"]), False, False)
    return activated(layer.config["activation"], op.add(product, floats(layer.weights["vars/1"])))


def flatten(layer: Layer, h: Node) -> Node:
    """All features of all steps in a row."""
    return op.reshape(h, ints(0, -1), True)


def concatenate(layer: Layer, *parts: Node) -> Node:
    """Features of one behind those of the other."""
    return op.concat(list(parts), layer.config["axis"])


def add(layer: Layer, *parts: Node) -> Node:
    """The sum, in the order given."""
    total = parts[0]
    for part in parts[1:]:
        total = op.add(total, part)
    return total


def average(layer: Layer, *parts: Node) -> Node:
    """The mean."""
    return op.divide(add(layer, *parts), floats(len(parts)))


def layer_normalization(layer: Layer, h: Node) -> Node:
    """Mean 0 and variance 1 over the features of a step, then a scale and an offset."""
    layer.demand(axis=[-1], center=True, scale=True, rms_scaling=False)
    normal = op.mvn(h, ints(-1), True, float(layer.config["epsilon"]), "inside_sqrt")
    return op.add(op.multiply(normal, floats(layer.weights["vars/0"])), floats(layer.weights["vars/1"]))


def attention(layer: Layer, query: Node, value: Node, attention_mask: Node | None) -> Node:
    """Attention of several heads (Vaswani et al. 2017, section 3.2), its keys being the values."""
    heads, width = layer.config["num_heads"], layer.config["key_dim"]
    layer.demand(value_dim=width, use_bias=True, use_gate=False, output_shape=None, attention_axes=[1])
    layer.demand(sliding_window=None)

    def projected(name: str, h: Node) -> Node:
        kernel, bias = (layer.weights[f"{name}_dense/vars/{i}"] for i in range(2))
        flat = op.matmul(h, floats(kernel.reshape(len(kernel), -1)), False, False)
        by_head = op.reshape(op.add(flat, floats(bias.ravel())), ints(0, 0, heads, width), True)
        return transposed(by_head, 0, 2, 1, 3)

    scores = op.matmul(projected("query", query), projected("key", value), False, True)
    scores = op.multiply(scores, floats(width**-0.5))
    if attention_mask is not None:
        scores = op.select(op.unsqueeze(attention_mask, ints(1)), scores, floats(-1e9))
    attended = op.matmul(op.softmax(scores, -1), projected("value", value), False, False)
    joined = op.reshape(transposed(attended, 0, 2, 1, 3), ints(0, 0, heads * width), True)
    kernel, bias = (layer.weights[f"output_dense/vars/{i}"] for i in range(2))
    product = op.matmul(joined, floats(kernel.reshape(-1, kernel.shape[-1])), False, False)
    return op.add(product, floats(bias))


def sinusoidal_positions(layer: Layer, sequence: Node) -> Node:
    """See `tfbind.networks.layers.SinusoidalPositions`."""
    steps, features = size(sequence, 1), size(sequence, 2)
    half = -(-features // 2)
    angles = np.arange(steps)[:, None] * 10000.0 ** (-np.arange(half) / half)
    places = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :features]
    return op.add(sequence, floats(places))


def evidence_sum(layer: Layer, tracks: Node) -> Node:
    """See `tfbind.networks.layers.EvidenceSum`."""
    slope, intercept = layer.weights["vars/0"], layer.weights["vars/1"]
    # a product with a matrix, since OpenVINO 2026.4 adds a bias that follows a sum along the wrong axis
    product = op.matmul(op.reduce_sum(tracks, ints(1), False), floats(np.diag(slope)), False, False)
    return op.add(product, floats(intercept))
