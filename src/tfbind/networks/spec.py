"""What a network is made of, as plain values: no import heavier than the standard library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from tfbind.errors import TfbindError

CELLS = ("lstm", "gru", "rnn", "irnn", "jordan")
# fixed sizes: attention heads of the body transformer, and hidden units of danq
HEADS, DANQ_HIDDEN = 4, 925
# a model file that names more is refused: steps, layers, and units or filters
MOST_STEPS, MOST_LAYERS, MOST_UNITS = 100_000, 64, 100_000

ARCHITECTURES: dict[str, dict[str, Any]] = {
    "gkm-bilstm": {"tracks": True, "cell": "lstm"},
    "gkm-bigru": {"tracks": True, "cell": "gru"},
    "gkm-linear": {"tracks": True, "filters": 0, "layers": 0},
    "conv-bilstm": {"cell": "lstm"},
    "conv-bigru": {"cell": "gru"},
    "deepbind": {"body": "deepbind", "filters": 16, "kernel_size": 24, "units": 32, "dropout": 0.5},
    "danq": {
        "body": "danq",
        "filters": 320,
        "kernel_size": 26,
        "pool": 13,
        "units": 320,
        "head_dropout": 0.5,
    },
    "kegru": {
        "body": "kegru",
        "cell": "gru",
        "units": 64,
        "filters": 0,
        "embedding": 100,
        "k": 5,
        "stride": 2,
    },
    "transformer": {"body": "transformer", "units": 64, "layers": 2},
    "bilstm": {"cell": "lstm", "filters": 0, "pool": 1},
    "bigru": {"cell": "gru", "filters": 0, "pool": 1},
}

# what users may set, and what of it each body reads; without layers there is no body
OPTIONS = ("cell", "units", "layers")
BODY_OPTIONS = {
    "conv-recurrent": OPTIONS,
    "deepbind": ("units",),
    "danq": ("cell", "units"),
    "kegru": ("cell", "units"),
    "transformer": ("units", "layers"),
}


@dataclass(frozen=True, kw_only=True)
class NetworkSpec:
    """Everything that `tfbind.networks.build.build` needs; it stands in the model file.

    architecture : one of ARCHITECTURES, the name that the other values were taken from
    length : steps of the input: bases, or k-mers
    vocabulary : how many different k-mers there are, the ambiguous one included; 0 for one-hot
    k, stride : of the k-mers, in bases; both 1 for one-hot
    n_tasks : logits
    tracks : whether evidence tracks of gapped k-mers (`tfbind.dna.gkm`) are read beside the sequence
    body : what lies between input and last layer, see `tfbind.networks.bodies`
    cell : one of CELLS
    units : of one direction of one recurrent layer
    layers : recurrent layers, one on top of the other; none where 0: then the logits are the evidence's sum
    filters, kernel_size, pool : of the convolution in front; no convolution where filters is 0
    embedding : size of a k-mer's vector
    dropout : after the convolution and between recurrent layers
    head_dropout : before the last layer
    """

    architecture: str
    length: int
    vocabulary: int = 0
    k: int = 1
    stride: int = 1
    n_tasks: int = 1
    tracks: bool = False
    body: str = "conv-recurrent"
    cell: str = "lstm"
    units: int = 32
    layers: int = 1
    filters: int = 64
    kernel_size: int = 19
    pool: int = 4
    embedding: int = 64
    dropout: float = 0.2
    head_dropout: float = 0.4

    def to_dict(self) -> dict[str, Any]:
        """Give the values for JSON."""
        return asdict(self)


def make_spec(architecture: str, *, length: int, **values: Any) -> NetworkSpec:
    """Fill a spec from a named architecture; values that are None keep the architecture's own.

    Raises
    ------
    TfbindError
        If a size is one that model files cannot name.
    """
    spec = NetworkSpec(architecture=architecture, length=length, **ARCHITECTURES[architecture])
    spec = replace(spec, **{name: value for name, value in values.items() if value is not None})
    check_sizes(
        length=spec.length, layers=spec.layers, units=spec.units, filters=spec.filters, n_tasks=spec.n_tasks
    )
    return spec


def check_sizes(*, length: int = 1, layers: int = 1, **sizes: int) -> None:
    """Refuse sizes of a network that no model file can name, so that none is trained in vain.

    Raises
    ------
    TfbindError
    """
    limits = {"length": MOST_STEPS, "layers": MOST_LAYERS}
    for name, value in ({"length": length, "layers": layers} | sizes).items():
        if value > (most := limits.get(name, MOST_UNITS)):
            raise TfbindError(f"found {name} {value:,}, expected at most {most:,}")


def options_of(architecture: str) -> tuple[str, ...]:
    """Which of OPTIONS an architecture reads."""
    own = make_spec(architecture, length=1)
    return BODY_OPTIONS[own.body] if own.layers else ()


def check_options(architecture: str, values: Mapping[str, Any]) -> None:
    """Refuse what an architecture would ignore.

    Parameters
    ----------
    architecture : str
    values : mapping
        From OPTIONS, and anything else, to values; None, and an architecture's own value, are always right.

    Raises
    ------
    TfbindError
    """
    own, taken = make_spec(architecture, length=1), options_of(architecture)
    for name in OPTIONS:
        value = values.get(name)
        if name not in taken and value not in (None, getattr(own, name)):
            raise TfbindError(
                f"found {name} {value}, for which architecture {architecture} has no use: of {', '.join(OPTIONS)}"
                f" it takes {' and '.join(taken) or 'none'}"
            )
