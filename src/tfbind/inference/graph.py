"""From a saved network to an OpenVINO graph, layer by layer, without Keras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset15 as op

from tfbind.inference import layers, padding, recurrent
from tfbind.inference.convolution import WordConvolution
from tfbind.inference.nodes import ChannelsFirst, Layer, Node, UnconvertibleError, ints, steps_first
from tfbind.networks.outline import places

# from the class of a layer to its function; the first few take a sequence as a convolution left it
EITHER_LAYOUT: dict[str, Callable[..., Node | ChannelsFirst]] = {
    "Conv1D": layers.conv1d,
    "BatchNormalization": layers.batch_normalization,
    "ReLU": layers.relu,
    "Dropout": layers.dropout,
    "ZeroPadding1D": layers.zero_padding,
    "MaxPooling1D": layers.max_pooling,
    "GlobalMaxPooling1D": layers.global_max_pooling,
    "BlankPadding": padding.blank_padding,
}
OPERATIONS: dict[str, Callable[..., Node]] = EITHER_LAYOUT | {
    "Rescaling": layers.rescaling,
    "Embedding": layers.embedding,
    "Dense": layers.dense,
    "Flatten": layers.flatten,
    "Concatenate": layers.concatenate,
    "Add": layers.add,
    "Average": layers.average,
    "LayerNormalization": layers.layer_normalization,
    "MultiHeadAttention": layers.attention,
    "SinusoidalPositions": layers.sinusoidal_positions,
    "EvidenceSum": layers.evidence_sum,
    "LSTM": recurrent.lstm,
    "GRU": recurrent.gru,
    "SimpleRNN": recurrent.simple_rnn,
    "RNN": recurrent.jordan,
    "ValidSteps": padding.valid_steps,
    "ValidMask": padding.valid_mask,
    "ReverseValid": padding.reverse_valid,
    "OneHotReverseComplement": padding.one_hot_reverse_complement,
    "KmerReverseComplement": padding.kmer_reverse_complement,
    "PoolValid": padding.pool_valid,
    "LastValid": padding.last_valid,
}


def build_graph(
    config: dict[str, Any],
    weights: dict[str, np.ndarray],
    *,
    unpadded: bool = False,
    steps: int | None = None,
    convolution: WordConvolution | None = None,
) -> ov.Model:
    """Build the graph of a network that `tfbind.networks.build.build` has made.

    Parameters
    ----------
    config, weights
        From `tfbind.training.stored_network.read_network`.
    unpadded : bool
        Build it for sequences without padding, which spares it all masks. The input ``valid_length`` is there
        all the same.
    steps : int, optional
        Of the sequences, where the network takes any number.
    convolution : WordConvolution, optional
        What the network begins with and the graph leaves out: in place of the input ``x`` there is ``pooled``,
        (2 * n, steps, filters) float32, the strands as given before the other ones.

    Raises
    ------
    UnconvertibleError
        If the network has a layer, or an option of one, that OPERATIONS does not know.
    """
    described = {layer["name"]: layer["config"] for layer in config["layers"]}
    parameters, inputs = [], []
    for name, _, _ in config["input_layers"]:
        _, *sizes = described[name]["batch_shape"]
        shape = ov.PartialShape([-1, *(steps if size is None else size for size in sizes)])
        parameter = op.parameter(shape, ov.Type(np.dtype(described[name]["dtype"])))
        parameter.set_friendly_name(name)
        parameters.append(parameter)
        inputs.append(None if unpadded and name == "valid_length" else parameter)
    given: dict[str, Node] = {}
    if convolution is not None:
        length = described["x"]["batch_shape"][1]
        pooled = op.parameter(ov.PartialShape([-1, *convolution.pooled_shape(length)]), ov.Type.f32)
        pooled.set_friendly_name("pooled")
        parameters[0] = pooled
        # the highest of the highest is the highest of all
        highest = op.reduce_max(pooled, ints(1), False)
        given = {"convolution_mask": pooled, "pool": pooled, "convolution_maximum": highest}
    return ov.Model([op.result(_Functional(config, "", weights, given).run(inputs))], parameters, "tfbind")


def strand_layers(config: dict[str, Any], weights: dict[str, np.ndarray]) -> dict[str, Layer]:
    """Give the layers of the network of one strand by name; none where a network has no such part."""
    for layer in config["layers"]:
        if layer["name"] == "strand":
            place = _places(config["layers"], "")["strand"]
            return _Functional(layer["config"], f"{place}/", weights).layers()
    return {}


class _Functional:
    """A functional model whose weights lie at ``place``, and what some of its layers are known to give."""

    def __init__(
        self,
        config: dict[str, Any],
        place: str,
        weights: dict[str, np.ndarray],
        given: dict[str, Node] | None = None,
    ):
        self._config = config
        self._layers = {layer["name"]: layer for layer in config["layers"]}
        self._places = _places(config["layers"], place)
        self._weights = weights
        self._given = given or {}
        self._made: dict[tuple[str, int], Node] = {}

    def layers(self) -> dict[str, Layer]:
        """Give its layers by name."""
        return {name: self._layer(name) for name in self._layers}

    def run(self, inputs: list[Node]) -> Node:
        """Apply the model."""
        names = [name for name, _, _ in self._config["input_layers"]]
        self._made = {(name, 0): node for name, node in self._given.items() if name in self._layers}
        self._made |= {(name, 0): node for name, node in zip(names, inputs, strict=True)}
        output = self._config["output_layers"]
        name, call, _ = output if isinstance(output[0], str) else output[0]
        return steps_first(self._output(name, call))

    def _output(self, name: str, call: int) -> Node:
        """What a layer gives when it is called for the n-th time."""
        if (name, call) not in self._made:
            layer = self._layers[name]
            if layer["class_name"] == "Functional":
                self._run_stacked(layer)
            elif layer["class_name"] in OPERATIONS:
                self._made[name, call] = self._run_layer(layer, layer["inbound_nodes"][call])
            else:
                raise UnconvertibleError(f"layer {name} is of class {layer['class_name']}")
        return self._made[name, call]

    def _layer(self, name: str) -> Layer:
        place = f"{self._places[name]}/"
        return Layer(
            self._layers[name]["config"],
            {at.removeprefix(place): array for at, array in self._weights.items() if at.startswith(place)},
        )

    def _run_layer(self, layer: dict[str, Any], node: dict[str, Any]) -> Node:
        arguments = self._arguments(node)
        named = {name: self._value(value) for name, value in node["kwargs"].items() if _is_tensor(value)}
        if layer["class_name"] not in EITHER_LAYOUT:
            arguments = [steps_first(argument) for argument in arguments]
        return OPERATIONS[layer["class_name"]](self._layer(layer["name"]), *arguments, **named)

    def _run_stacked(self, layer: dict[str, Any]) -> None:
        """Apply a model that is called several times once, with what it is called with stacked along n."""
        name, nodes = layer["name"], layer["inbound_nodes"]
        calls = zip(*(self._arguments(node) for node in nodes), strict=True)
        stacked = [None if same[0] is None else op.concat(list(same), 0) for same in calls]
        model = _Functional(layer["config"], f"{self._places[name]}/", self._weights, self._given)
        output = model.run(stacked)
        parts = op.split(output, op.constant(np.int64(0)), len(nodes)).outputs()
        self._made |= {(name, call): part for call, part in enumerate(parts)}

    def _arguments(self, node: dict[str, Any]) -> list[Node]:
        given = node["args"]
        # merging layers and models take one list of tensors
        return [self._value(value) for value in (given[0] if isinstance(given[0], list) else given)]

    def _value(self, tensor: dict[str, Any]) -> Node:
        if not _is_tensor(tensor):
            raise UnconvertibleError(f"a layer is called with {tensor!r}")
        name, call, _ = tensor["config"]["keras_history"]
        return self._output(name, call)


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == "__keras_tensor__"


def _places(layers: list[dict[str, Any]], place: str) -> dict[str, str]:
    return places([(layer["name"], layer["class_name"]) for layer in layers], place)
