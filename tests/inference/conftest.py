"""Networks of every kind with weights that mean nothing, saved as model files."""

from __future__ import annotations

import numpy as np
import pytest

from tfbind.dna.encoding import DnaEncoding

LENGTH = 53


def _scatter_weights(network) -> None:
    """Weights such as training might leave: no scale of 1, no bias or mean of 0."""
    rng = np.random.default_rng(5)
    for variable in network.weights:
        found = variable.numpy()
        if "variance" in variable.path:
            variable.assign(rng.uniform(0.5, 2, found.shape))
        else:
            variable.assign(found + rng.normal(0, 0.1, found.shape))


@pytest.fixture(scope="session")
def save_network(tmp_path_factory):
    """Give ``save_network(architecture, k=..., **values of the spec)``: path of a model file, card, forward."""
    from tfbind.binding.model.card import ModelCard, save_model
    from tfbind.networks.build import build
    from tfbind.networks.spec import make_spec
    from tfbind.training.device import prepare, seeded
    from tfbind.training.forward import make_forward

    def save_network(architecture, *, k=None, stride=None, n_tasks=1, layer=None, **values):
        prepare()
        encoding = DnaEncoding(encoding="kmer" if k else "onehot", length=LENGTH, k=k, stride=stride)
        spec = make_spec(
            architecture,
            length=encoding.shape[0],
            vocabulary=4**k + 1 if k else None,
            k=k,
            stride=stride,
            n_tasks=n_tasks,
            **values,
        )
        with seeded(1):
            network = build(spec)
        if layer is not None:
            import keras

            network = keras.Model(network.inputs, layer(network.output))
        _scatter_weights(network)
        card = ModelCard(
            network=spec,
            encoding=encoding,
            tasks=tuple(f"factor{number}" for number in range(n_tasks)),
            calibration={"method": "platt", "slope": [1.0] * n_tasks, "intercept": [0.0] * n_tasks},
            threshold=(0.5,) * n_tasks,
            negative_method="given",
            digests=np.zeros(0, np.uint64),
            training={},
        )
        path = tmp_path_factory.mktemp("network") / f"{architecture}.keras"
        save_model(path, network, card)
        return path, card, make_forward(network)

    return save_network


@pytest.fixture(scope="session")
def make_inputs():
    """Give ``make_inputs(card, n, padded=...)``: inputs, half of them padded, down to no base, and with N."""

    def make_inputs(card, n, *, padded=True):
        rng = np.random.default_rng(n)
        codes = rng.integers(0, 5, (n, LENGTH)).astype(np.uint8)
        valid_length = np.full(n, LENGTH, np.int32)
        if padded:
            valid_length[::2] = np.resize([0, 1, 10, 13, 52, 40, 12, 27], len(valid_length[::2]))
            codes[np.arange(LENGTH) >= valid_length[:, None]] = 4
        inputs = [card.encoding.encode(codes), valid_length]
        if card.network.tracks:
            tracks = rng.normal(0, 0.3, (n, LENGTH, card.network.n_tasks)).astype(np.float32)
            # nothing lies in the padding
            tracks[np.arange(LENGTH) >= valid_length[:, None]] = 0
            inputs.append(tracks)
        return tuple(inputs)

    return make_inputs
