"""The layers that see to padding and to the other strand, as OpenVINO operations: see `tfbind.networks.layers`.

A ``valid_length`` of None says that no sequence is padded; then most of them have nothing to do.
"""

from __future__ import annotations

import numpy as np
from openvino import opset15 as op

from tfbind.inference.nodes import ChannelsFirst, Layer, Node, floats, ints, number, size


def valid_steps(layer: Layer, valid_length: Node | None) -> Node | None:
    """(n,) int32 bases to (n,) int32 steps."""
    width, stride = layer.config["size"], layer.config["stride"]
    if valid_length is None or (width == 1 and stride == 1):
        return valid_length
    if layer.config["partial"]:
        return op.divide(op.add(valid_length, number(stride - 1)), number(stride))
    # never of a negative number, whose quotient would be rounded the other way
    bases = op.maximum(op.add(valid_length, number(stride - width)), number(0))
    return op.divide(bases, number(stride))


def valid_mask(layer: Layer, sequence: Node, valid_length: Node | None) -> Node | None:
    """(n, 1, steps) bool."""
    return None if valid_length is None else op.unsqueeze(_is_valid(size(sequence, 1), valid_length), ints(1))


def blank_padding(
    layer: Layer, sequence: Node | ChannelsFirst, valid_length: Node | None
) -> Node | ChannelsFirst:
    """Zero in the padding."""
    if valid_length is None:
        return sequence
    if isinstance(sequence, ChannelsFirst):
        mask = _as_float(_is_valid(size(sequence.node, 2), valid_length), 1)
        return ChannelsFirst(op.multiply(sequence.node, mask), sequence.zeros)
    return op.multiply(sequence, _as_float(_is_valid(size(sequence, 1), valid_length), 2))


def reverse_valid(layer: Layer, sequence: Node, valid_length: Node | None) -> Node:
    """Turn the valid part round; by places, since OpenVINO's own operation is ten times slower."""
    steps = np.arange(size(sequence, 1), dtype=np.int32)
    if valid_length is None:
        return op.gather(sequence, op.constant(steps[::-1].copy()), number(1))
    mirrored = op.subtract(op.unsqueeze(valid_length, ints(1)), op.constant(steps[None] + 1))
    places = op.select(op.less(mirrored, number(0)), op.constant(steps[None]), mirrored)
    return op.gather(sequence, places, number(1), batch_dims=1)


def one_hot_reverse_complement(layer: Layer, sequence: Node, valid_length: Node | None) -> Node:
    """The other strand of (n, length, 4) one-hot sequences."""
    return reverse_valid(layer, op.gather(sequence, ints(3, 2, 1, 0), number(2)), valid_length)


def kmer_reverse_complement(layer: Layer, tokens: Node, valid_length: Node | None) -> Node:
    """The other strand of (n, tokens) k-mers."""
    k = layer.config["k"]
    digits = np.arange(4**k)[:, None] // 4 ** np.arange(k) % 4
    # the last base comes first; the ambiguous k-mer is its own complement
    table = np.append((3 - digits) @ 4 ** np.arange(k)[::-1], 4**k).astype(np.int32)
    return reverse_valid(layer, op.gather(op.constant(table), tokens, number(0)), valid_length)


def pool_valid(layer: Layer, sequence: Node, valid_length: Node | None) -> Node:
    """Maximum and mean over the valid steps."""
    over = ints(1)
    if valid_length is None:
        highest, mean = op.reduce_max(sequence, over, False), op.reduce_mean(sequence, over, False)
        return op.concat([highest, mean], -1)
    valid = op.unsqueeze(_is_valid(size(sequence, 1), valid_length), ints(2))
    mask = op.convert(valid, "f32")
    n_valid = op.reduce_sum(mask, over, False)
    highest = op.reduce_max(op.select(valid, sequence, floats(-1e9)), over, False)
    highest = op.select(op.greater(n_valid, floats(0.0)), highest, floats(0.0))
    total = op.reduce_sum(op.multiply(sequence, mask), over, False)
    return op.concat([highest, op.divide(total, op.maximum(n_valid, floats(1.0)))], -1)


def last_valid(layer: Layer, sequence: Node, valid_length: Node | None) -> Node:
    """The state after everything has been read."""
    steps, features = size(sequence, 1), size(sequence, 2)
    if valid_length is None:
        last = op.gather(sequence, number(steps - 1), number(1))
    else:
        at = op.maximum(op.subtract(valid_length, number(1)), number(0))
        last = op.gather(sequence, at, number(1), batch_dims=1)
    if layer.config["both_ways"]:
        half = features // 2
        first = op.gather(sequence, number(0), number(1))
        last = op.concat([_columns(last, 0, half), _columns(first, half, features)], 1)
    if valid_length is None:
        return last
    return op.multiply(last, _as_float(op.greater(valid_length, number(0)), 1))


def _columns(node: Node, start: int, stop: int) -> Node:
    return op.slice(node, ints(start), ints(stop), ints(1), ints(1))


def _is_valid(steps: int, valid_length: Node) -> Node:
    """(n, steps) bool."""
    return op.less(op.constant(np.arange(steps, dtype=np.int32)[None]), op.unsqueeze(valid_length, ints(1)))


def _as_float(mask: Node, axis: int) -> Node:
    """A mask with another axis, to multiply with."""
    return op.unsqueeze(op.convert(mask, "f32"), ints(axis))
