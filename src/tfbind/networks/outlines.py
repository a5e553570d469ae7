"""Outlines of our networks, each beside the module that builds the same network with Keras.

`tests/networks/test_outlines.py` compares each with what Keras saves.
"""

from __future__ import annotations

from tfbind.networks.outline import Outline
from tfbind.networks.spec import DANQ_HIDDEN, HEADS, NetworkSpec

# matrices of a cell, and how many gates stand side by side in each
_GATES = {"lstm": 4, "gru": 3, "rnn": 1, "irnn": 1}
_KINDS = {"lstm": "LSTM", "gru": "GRU", "rnn": "SimpleRNN", "irnn": "SimpleRNN", "jordan": "RNN"}


def binding_outline(spec: NetworkSpec) -> Outline:
    """Outline the network of `tfbind.networks.build.build`."""
    net = Outline()
    _inputs(net, spec)
    steps = net.add(
        "ValidSteps", "valid_steps", "valid_length", size=spec.k, stride=spec.stride, partial=False
    )
    if spec.vocabulary:
        other = [net.add("KmerReverseComplement", "reverse_complement", "x", steps, k=spec.k)]
    else:
        other = [net.add("OneHotReverseComplement", "reverse_complement", "x", steps)]
    other.append("valid_length")
    if spec.tracks:
        other.append(net.add("ReverseValid", "reverse_tracks", "tracks", "valid_length"))
    net.stack("strand", _strand(spec), list(net.inputs), other)
    net.average("both_strands", "strand")
    return net


def _inputs(net: Outline, spec: NetworkSpec) -> None:
    if spec.vocabulary:
        net.input("x", spec.length, dtype="int32")
    else:
        net.input("x", spec.length, 4, dtype="uint8")
    net.input("valid_length", dtype="int32")
    if spec.tracks:
        net.input("tracks", spec.length, spec.n_tasks)


def _strand(spec: NetworkSpec) -> Outline:
    net = Outline()
    _inputs(net, spec)
    logits = []
    if spec.tracks:
        slopes = {f"vars/{i}": (spec.n_tasks,) for i in range(2)}
        logits.append(net.add("EvidenceSum", "evidence", "tracks", weights=slopes))
    if spec.layers:
        features, width = _features(net, spec)
        features = net.add("Dropout", "head_dropout", features)
        logits.append(_dense(net, "logits", features, width, spec.n_tasks))
    if len(logits) > 1:
        net.add("Add", "evidence_and_network", *logits)
    return net


def _features(net: Outline, spec: NetworkSpec) -> tuple[str, int]:
    """Give the features' name and how many they are."""
    valid = net.add(
        "ValidSteps", "valid_steps", "valid_length", size=spec.k, stride=spec.stride, partial=False
    )
    if spec.vocabulary:
        table = {"vars/0": (spec.vocabulary, spec.embedding)}
        h, width = net.add("Embedding", "kmer_embedding", "x", weights=table), spec.embedding
    else:
        h, width = net.add("Rescaling", "to_float", "x"), 4
    h = net.add("BlankPadding", "input_mask", h, valid)
    if spec.tracks:
        h = net.add("Concatenate", "sequence_and_tracks", h, "tracks", axis=-1)
        width += spec.n_tasks
    return _BODIES[spec.body](net, h, width, valid, spec)


def _conv_recurrent(net: Outline, h: str, width: int, valid: str, spec: NetworkSpec) -> tuple[str, int]:
    pooled, features = [], 0
    if spec.filters:
        h, valid, highest = _convolution(net, h, width, valid, spec)
        pooled.append(highest)
        width = features = spec.filters
    for number in range(1, spec.layers + 1):
        if number > 1:
            h = net.add("Dropout", f"recurrent_{number}_dropout", h)
        h = _bidirectional(net, h, width, valid, spec.cell, spec.units, f"recurrent_{number}")
        width = 2 * spec.units
    pooled.append(net.add("PoolValid", "pool_time", h, valid))
    features += 2 * width
    return net.add("Concatenate", "features", *pooled, axis=-1) if len(pooled) > 1 else pooled[0], features


def _deepbind(net: Outline, h: str, width: int, valid: str, spec: NetworkSpec) -> tuple[str, int]:
    h = _conv1d(net, "convolution", h, width, spec.filters, spec.kernel_size, "relu")
    h = net.add("BlankPadding", "convolution_mask", h, valid)
    h = net.add("GlobalMaxPooling1D", "convolution_maximum", h)
    h = net.add("Dropout", "convolution_dropout", h)
    return _dense(net, "hidden", h, spec.filters, spec.units, "relu"), spec.units


def _danq(net: Outline, h: str, width: int, valid: str, spec: NetworkSpec) -> tuple[str, int]:
    h = _conv1d(net, "convolution", h, width, spec.filters, spec.kernel_size, "relu")
    h = net.add("BlankPadding", "convolution_mask", h, valid)
    h, valid = _pool(net, h, valid, spec)
    h = net.add("Dropout", "convolution_dropout", h)
    h = _bidirectional(net, h, spec.filters, valid, spec.cell, spec.units, "recurrent_1")
    h = net.add("BlankPadding", "recurrent_mask", h, valid)
    h = net.add("Dropout", "recurrent_dropout", h)
    h = net.add("Flatten", "flat", h)
    flat = -(-spec.length // spec.pool) * 2 * spec.units
    return _dense(net, "hidden", h, flat, DANQ_HIDDEN, "relu"), DANQ_HIDDEN


def _kegru(net: Outline, h: str, width: int, valid: str, spec: NetworkSpec) -> tuple[str, int]:
    h = _bidirectional(net, h, width, valid, spec.cell, spec.units, "recurrent_1")
    return net.add("LastValid", "last_states", h, valid, both_ways=True), 2 * spec.units


def _transformer(net: Outline, h: str, width: int, valid: str, spec: NetworkSpec) -> tuple[str, int]:
    h, valid, _ = _convolution(net, h, width, valid, spec)
    width, key = spec.filters, max(1, spec.units // HEADS)
    into = {
        f"{name}_dense/{place}": shape
        for name in ("query", "key", "value")
        for place, shape in (("vars/0", (width, HEADS, key)), ("vars/1", (HEADS, key)))
    }
    out = {"output_dense/vars/0": (HEADS, key, width), "output_dense/vars/1": (width,)}
    mask = net.add("ValidMask", "attention_mask", h, valid)
    h = net.add("SinusoidalPositions", "positions", h)
    for number in range(1, spec.layers + 1):
        name = f"encoder_{number}"
        read = _normalize(net, f"{name}_norm_1", h, width)
        read = net.add(
            *("MultiHeadAttention", f"{name}_attention", read, read, mask),
            weights=into | out,
            num_heads=HEADS,
            key_dim=key,
        )
        h = net.add("Add", f"{name}_sum_1", h, read)
        wide = _normalize(net, f"{name}_norm_2", h, width)
        wide = _dense(net, f"{name}_wide", wide, width, 2 * spec.units, "gelu")
        wide = _dense(net, f"{name}_narrow", wide, 2 * spec.units, width)
        h = net.add("Add", f"{name}_sum_2", h, net.add("Dropout", f"{name}_dropout", wide))
    return net.add("PoolValid", "pool_time", _normalize(net, "last_norm", h, width), valid), 2 * width


_BODIES = {
    "conv-recurrent": _conv_recurrent,
    "deepbind": _deepbind,
    "danq": _danq,
    "kegru": _kegru,
    "transformer": _transformer,
}


def rate_outline(*, features: int, outputs: int, cell: str, units: int, layers: int) -> Outline:
    """Outline the network of `tfbind.networks.rates.rate_network`."""
    net = Outline()
    net.input("x", None, features)
    net.input("valid_length", dtype="int32")
    h = _dense(net, "token", "x", features, 96, "relu")
    h = net.add("BlankPadding", "token_mask", h, "valid_length")
    h = _conv1d(net, "neighbours", h, 96, 2 * units, 5, "relu")
    for number in range(1, layers + 1):
        read = _bidirectional(net, h, 2 * units, "valid_length", cell, units, f"recurrent_{number}")
        h = net.add("Add", f"recurrent_{number}_sum", h, read)
        h = _normalize(net, f"recurrent_{number}_norm", h, 2 * units)
    h = _dense(net, "hidden", h, 2 * units, 64, "relu")
    _dense(net, "outputs", h, 64, outputs)
    return net


def relernn_outline(*, columns: int, sites: int, units: int) -> Outline:
    """Outline the network of `tfbind.networks.relernn.relernn_network`."""
    net = Outline()
    net.input("alleles", None, columns)
    net.input("places", sites)
    net.input("valid_length", dtype="int32")
    h = _bidirectional(net, "alleles", columns, "valid_length", "gru", units, "sites_1")
    h = net.add("LastValid", "sites_last", h, "valid_length", both_ways=True)
    h = _dense(net, "alleles_dense", h, 2 * units, 256)
    h = net.add("Dropout", "alleles_dropout", h)
    h = net.add("Concatenate", "window", h, _dense(net, "places_dense", "places", sites, 256), axis=-1)
    h = _dense(net, "window_dense", h, 512, 64)
    h = net.add("Dropout", "window_dropout", h)
    _dense(net, "rate", h, 64, 1)
    return net


def next_base_outline(*, cell: str, units: int, layers: int) -> Outline:
    """Outline the network of `tfbind.networks.next_base.next_base_network`."""
    net = Outline()
    net.input("x", None, 4, dtype="uint8")
    net.input("valid_length", dtype="int32")
    h, width = net.add("Rescaling", "to_float", "x"), 4
    for number in range(1, layers + 1):
        if number > 1:
            h = net.add("Dropout", f"recurrent_{number}_dropout", h)
        h, width = _recurrent(net, f"recurrent_{number}", h, width, cell, units), units
    h = net.add("BlankPadding", "recurrent_mask", h, "valid_length")
    _dense(net, "logits", h, width, 4)
    return net


def _dense(net: Outline, name: str, h: str, width: int, units: int, activation: str = "linear") -> str:
    weights = {"vars/0": (width, units), "vars/1": (units,)}
    return net.add("Dense", name, h, weights=weights, units=units, activation=activation)


def _conv1d(net: Outline, name: str, h: str, width: int, filters: int, size: int, activation: str) -> str:
    weights = {"vars/0": (size, width, filters), "vars/1": (filters,)}
    options = {"filters": filters, "kernel_size": [size], "activation": activation, "use_bias": True}
    return net.add("Conv1D", name, h, weights=weights, **options)


def _normalize(net: Outline, name: str, h: str, width: int) -> str:
    weights = {f"vars/{i}": (width,) for i in range(2)}
    return net.add("LayerNormalization", name, h, weights=weights, epsilon=1e-3)


def _convolution(net: Outline, h: str, width: int, valid: str, spec: NetworkSpec) -> tuple[str, str, str]:
    kernel = {"vars/0": (spec.kernel_size, width, spec.filters)}
    options = {"filters": spec.filters, "kernel_size": [spec.kernel_size], "activation": "linear"}
    h = net.add("Conv1D", "convolution", h, weights=kernel, use_bias=False, **options)
    moments = {f"vars/{i}": (spec.filters,) for i in range(4)}
    h = net.add("BatchNormalization", "convolution_norm", h, weights=moments, epsilon=1e-3)
    h = net.add("ReLU", "convolution_relu", h)
    h = net.add("BlankPadding", "convolution_mask", h, valid)
    highest = net.add("GlobalMaxPooling1D", "convolution_maximum", h)
    if spec.pool > 1:
        h, valid = _pool(net, h, valid, spec)
    return net.add("Dropout", "convolution_dropout", h), valid, highest


def _pool(net: Outline, h: str, valid: str, spec: NetworkSpec) -> tuple[str, str]:
    size = spec.pool
    h = net.add("ZeroPadding1D", "pool_padding", h, padding=[0, -spec.length % size])
    h = net.add("MaxPooling1D", "pool", h, pool_size=[size])
    return h, net.add("ValidSteps", "pooled_steps", valid, size=size, stride=size, partial=True)


def _bidirectional(net: Outline, h: str, width: int, valid: str, cell: str, units: int, name: str) -> str:
    forward = _recurrent(net, f"{name}_forward", h, width, cell, units)
    turned = net.add("ReverseValid", f"{name}_turn", h, valid)
    backward = _recurrent(net, f"{name}_backward", turned, width, cell, units)
    backward = net.add("ReverseValid", f"{name}_turn_back", backward, valid)
    return net.add("Concatenate", name, forward, backward, axis=-1)


def _recurrent(net: Outline, name: str, h: str, width: int, cell: str, units: int) -> str:
    if cell == "jordan":
        shapes: list[tuple[int, ...]] = [(width, units), (units, units), (units,), (units, units), (units,)]
        options = {}
    else:
        wide = _GATES[cell] * units
        shapes = [(width, wide), (units, wide), (2, wide) if cell == "gru" else (wide,)]
        options = {"units": units, "activation": "relu" if cell == "irnn" else "tanh"}
    weights = {f"cell/vars/{i}": shape for i, shape in enumerate(shapes)}
    return net.add(_KINDS[cell], name, h, weights=weights, **options)
