"""Recurrent layers, left to right over all steps, as OpenVINO's fused operations where there is one.

Which gate comes first, and where a GRU's two biases stand, differs between Keras and OpenVINO.
"""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import opset15 as op

from tfbind.inference.nodes import Layer, Node, UnconvertibleError, floats, ints, number, size


def lstm(layer: Layer, sequence: Node) -> Node:
    """Keras has the gates input, forget, cell, output; OpenVINO forget, input, cell, output."""
    layer.demand(activation="tanh", recurrent_activation="sigmoid")
    kernel, recurrent, bias = _weights(layer, [1, 0, 2, 3])
    units = layer.config["units"]
    start = _zeros(sequence, units)
    return _outputs(
        op.lstm_sequence(
            sequence, start, start, _lengths(sequence), kernel, recurrent, floats(bias), units, "forward"
        )
    )


def gru(layer: Layer, sequence: Node) -> Node:
    """The gates are update, reset, candidate; the candidate alone needs both biases apart."""
    layer.demand(activation="tanh", recurrent_activation="sigmoid", reset_after=True)
    kernel, recurrent, bias = _weights(layer, [0, 1, 2])
    units = layer.config["units"]
    of_input, of_state = np.split(bias[0], 3, axis=-1), np.split(bias[1], 3, axis=-1)
    joined = [of_input[0] + of_state[0], of_input[1] + of_state[1], of_input[2], of_state[2]]
    return _outputs(
        op.gru_sequence(
            sequence,
            _zeros(sequence, units),
            _lengths(sequence),
            kernel,
            recurrent,
            floats(np.concatenate(joined)[None]),
            units,
            "forward",
            linear_before_reset=True,
        )
    )


def simple_rnn(layer: Layer, sequence: Node) -> Node:
    """A plain one, and with ``relu`` the irnn."""
    activation, units = layer.config["activation"], layer.config["units"]
    if activation not in ("tanh", "relu"):
        raise UnconvertibleError(f"layer {layer.config['name']!r} has activation {activation!r}")
    kernel, recurrent, bias = _weights(layer, [0])
    return _outputs(
        op.rnn_sequence(
            sequence,
            _zeros(sequence, units),
            _lengths(sequence),
            kernel,
            recurrent,
            floats(bias),
            units,
            "forward",
            activations=[activation],
        )
    )


def jordan(layer: Layer, sequence: Node) -> Node:
    """`tfbind.networks.cells.JordanCell`, which no operation knows: a loop over the steps."""
    _demand_plain(layer)
    cell = layer.config["cell"]
    if cell["class_name"] != "JordanCell":
        raise UnconvertibleError(f"layer {layer.config['name']!r} has cell {cell['class_name']!r}")
    units = cell["config"]["units"]
    kernel, recurrent, bias, output, output_bias = (floats(layer.weights[f"cell/vars/{i}"]) for i in range(5))
    # the product with what comes in needs no loop
    driven = op.add(op.matmul(sequence, kernel, False, False), bias)

    shape = ov.PartialShape([-1, 1, units])
    step, before = op.parameter(shape, ov.Type.f32), op.parameter(shape, ov.Type.f32)
    hidden = op.tanh(op.add(step, op.matmul(before, recurrent, False, False)))
    after = op.result(op.tanh(op.add(op.matmul(hidden, output, False, False), output_bias)))
    loop = op.tensor_iterator()
    loop.set_body(ov.Model([after], [step, before]))
    loop.set_sliced_input(step, driven.output(0), 0, 1, 1, -1, 1)
    loop.set_merged_input(before, _zeros(sequence, units).output(0), after.output(0))
    return loop.get_concatenated_slices(after.output(0), 0, 1, 1, -1, 1)


def _demand_plain(layer: Layer) -> None:
    layer.demand(go_backwards=False, return_sequences=True, return_state=False, stateful=False)


def _weights(layer: Layer, order: list[int]) -> tuple[Node, Node, np.ndarray]:
    """Kernel (1, gates * units, features), recurrent kernel, and bias (1 or 2, gates * units), in OpenVINO's order."""
    _demand_plain(layer)
    layer.demand(use_bias=True)
    kernel, recurrent, bias = (
        np.concatenate(
            [np.split(layer.weights[f"cell/vars/{i}"], len(order), axis=-1)[gate] for gate in order], axis=-1
        )
        for i in range(3)
    )
    return floats(kernel.T[None]), floats(recurrent.T[None]), np.atleast_2d(bias)


def _n(sequence: Node) -> Node:
    return op.gather(op.shape_of(sequence, "i64"), ints(0), number(0))


def _zeros(sequence: Node, units: int) -> Node:
    """The state before the first step: (n, 1, units)."""
    return op.broadcast(floats(0.0), op.concat([_n(sequence), ints(1, units)], 0))


def _lengths(sequence: Node) -> Node:
    """All steps of each sequence: (n,)."""
    return op.broadcast(number(size(sequence, 1)), _n(sequence))


def _outputs(recurrence: Node) -> Node:
    """The output of each step, without the axis of directions."""
    return op.squeeze(recurrence.output(0), ints(1))
