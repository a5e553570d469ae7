"""The outline of a network: its layers, how they are connected and the shapes of their weights, without Keras.

A model file from a stranger is compared with the outline of the network that its card describes before anything is
built: an outline is made of small numbers, whatever sizes the card names. `tfbind.networks.outlines` has the outlines
of our networks.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# what a layer is called with: the name of a layer, and which of its calls
Tensor = tuple[str, int]


@dataclass(frozen=True)
class Layer:
    """A layer.

    kind : Keras's name of its class
    options : some of the values of its ``get_config``: those that its weights' shapes do not show
    calls : for each time it is called, the tensors that it is called with, in order
    weights : shapes by place within the layer
    inner : the outline of a layer that is itself a network
    """

    kind: str
    options: dict[str, Any]
    calls: list[list[Tensor]]
    weights: Mapping[str, tuple[int, ...]]
    inner: Outline | None = None


@dataclass
class Outline:
    """A functional network.

    inputs : names of the input layers, in order
    layers : by name
    output : name of the layer whose first call is the network's output
    """

    inputs: list[str] = field(default_factory=list)
    layers: dict[str, Layer] = field(default_factory=dict)
    output: str = ""

    def input(self, name: str, *shape: int | None, dtype: str = "float32") -> None:
        """Add an input; the number of sequences goes before ``shape``."""
        self.inputs.append(name)
        self.layers[name] = Layer("InputLayer", {"batch_shape": [None, *shape], "dtype": dtype}, [], {})

    def add(
        self,
        kind: str,
        name: str,
        *on: str,
        weights: Mapping[str, tuple[int, ...]] | None = None,
        **options: Any,
    ) -> str:
        """Add a layer that is called once, on the first call of each layer of ``on``; give its name."""
        self.layers[name] = Layer(kind, options, [[(each, 0) for each in on]], weights or {})
        self.output = name
        return name

    def stack(self, name: str, inner: Outline, *calls: list[str]) -> None:
        """Add a network as a layer."""
        on = [[(each, 0) for each in call] for call in calls]
        self.layers[name] = Layer("Functional", {}, on, {}, inner)
        self.output = name

    def average(self, name: str, of: str) -> None:
        """Add the average of all calls of a layer."""
        on = [(of, call) for call in range(len(self.layers[of].calls))]
        self.layers[name] = Layer("Average", {}, [on], {})
        self.output = name

    def order(self) -> list[str]:
        """Give the layers' names in Keras's order, which the places of their weights follow.

        That is by the longest way to the output, and then as they are met from the output backwards.
        """
        met: dict[str, int] = {}
        # a dictionary, as a set has no order
        done: dict[Tensor, None] = {}

        def visit(tensor: Tensor) -> None:
            if tensor in done:
                return
            met.setdefault(tensor[0], len(met))
            for each in self._read_by(tensor):
                visit(each)
            done[tensor] = None

        visit((self.output, 0))
        depth_of_call: Counter[Tensor] = Counter()
        depth: dict[str, int] = {}
        for tensor in reversed(done):
            name = tensor[0]
            depth[name] = max(depth_of_call[tensor], depth.get(name, 0))
            for each in self._read_by(tensor):
                depth_of_call[each] = max(depth[name] + 1, depth_of_call[each])
        # inputs that nothing reads
        for name in self.inputs:
            if name not in depth:
                depth[name], met[name] = 0, -1
        return sorted(depth, key=lambda name: (-depth[name], met[name]))

    def _read_by(self, tensor: Tensor) -> list[Tensor]:
        calls = self.layers[tensor[0]].calls
        return calls[tensor[1]] if calls else []

    def weights(self, place: str = "") -> dict[str, tuple[int, ...]]:
        """Give the shapes of all weights, by their place in the file that Keras saves."""
        shapes: dict[str, tuple[int, ...]] = {}
        names = self.order()
        for name, at in places([(name, self.layers[name].kind) for name in names], place).items():
            layer = self.layers[name]
            shapes |= {f"{at}/{each}": shape for each, shape in layer.weights.items()}
            if layer.inner:
                shapes |= layer.inner.weights(f"{at}/")
        return shapes

    def n_layers(self) -> int:
        """Count the layers, those of inner networks included."""
        return sum(1 + (layer.inner.n_layers() if layer.inner else 0) for layer in self.layers.values())

    def n_parameters(self) -> int:
        """Count the weights' values."""
        return sum(map(math.prod, self.weights().values()))


def places(layers: list[tuple[str, str]], place: str) -> dict[str, str]:
    """Find where Keras puts each layer's weights: under its class, numbered from the second of a class on.

    Parameters
    ----------
    layers : list of name and class
        In Keras's order.
    place : str
        Of the network within the file, with a slash at its end if it is not empty.
    """
    seen: Counter[str] = Counter()
    found = {}
    for name, kind in layers:
        folder = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
        folder = re.sub("([a-z])([A-Z])", r"\1_\2", folder).lower()
        found[name] = f"{place}layers/{folder}" + (f"_{seen[folder]}" if seen[folder] else "")
        seen[folder] += 1
    return found
