from collections.abc import Callable
from dataclasses import replace
from functools import cache

import keras
import numpy as np
import pytest

from tfbind.binding.encoding.inputs import InputEncoder
from tfbind.dna.alphabet import AMBIGUOUS, reverse_complement
from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.gkm import N_FEATURES
from tfbind.networks.build import build
from tfbind.networks.spec import ARCHITECTURES, OPTIONS, NetworkSpec, make_spec, options_of
from tfbind.training.forward import make_forward

LENGTH = 60
# the lengths of the records leave no base behind the last k-mer, where the strands' k-mers are the same ones
ENCODINGS = {
    "onehot": DnaEncoding(encoding="onehot", length=LENGTH),
    "kmer": DnaEncoding(encoding="kmer", length=LENGTH, k=3, stride=3),
}
SMALL = {"units": 3, "filters": 5, "kernel_size": 7, "embedding": 4}
Scorer = Callable[[np.ndarray, np.ndarray], np.ndarray]


# evidence tracks lie along bases, so only one-hot networks read them; KEGRU reads k-mers
NETWORKS = {
    f"{architecture}-{name}": (architecture, encoding)
    for architecture, values in ARCHITECTURES.items()
    for name, encoding in ENCODINGS.items()
    if (name == "onehot" or not values.get("tracks")) and (name == "kmer" or "k" not in values)
}
GKM = np.random.default_rng(3).normal(size=(2, N_FEATURES)).astype(np.float32)


def every_network(test):
    return pytest.mark.parametrize(("architecture", "encoding"), NETWORKS.values(), ids=NETWORKS)(test)


def spec_of(architecture: str, encoding: DnaEncoding, n_tasks: int = 2) -> NetworkSpec:
    values = SMALL if ARCHITECTURES[architecture].get("filters", 1) else SMALL | {"filters": None}
    return make_spec(
        architecture,
        length=encoding.shape[0],
        vocabulary=4**encoding.k + 1 if encoding.k else None,
        k=encoding.k or 1,
        stride=encoding.stride or 1,
        n_tasks=n_tasks,
        **values,
    )


def lively(spec: NetworkSpec) -> keras.Model:
    """Build a network with every weight drawn at random: an untrained bias of 0 could hide a mistake."""
    network = build(spec)
    rng = np.random.default_rng(0)
    for variable in network.weights:
        # a variance must be above 0
        lowest = 0.5 if "variance" in variable.path else -0.5
        variable.assign(rng.uniform(lowest, lowest + 1, variable.shape))
    return network


@cache
def scorer(architecture: str, encoding: DnaEncoding, part: str = "") -> Scorer:
    """From codes and valid lengths to logits, with random weights; of both strands, or the named layer."""
    spec = spec_of(architecture, encoding)
    network = lively(spec)
    forward = make_forward(network.get_layer(part) if part else network)
    encoder = InputEncoder(encoding, GKM if spec.tracks else None)
    return lambda codes, valid_length: forward(*encoder(codes, valid_length))


@pytest.fixture
def records() -> tuple[np.ndarray, np.ndarray]:
    """Codes of 12 records with some N, padded on the right, and their valid lengths."""
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 4, (12, LENGTH)).astype(np.uint8)
    codes[rng.random(codes.shape) < 0.05] = AMBIGUOUS
    valid_length = np.array([60, 45, 30, 15, 12, 60] * 2, np.int32)
    codes[np.arange(LENGTH) >= valid_length[:, None]] = AMBIGUOUS
    return codes, valid_length


@every_network
class TestEveryArchitecture:
    def test_gives_a_logit_a_task(self, architecture, encoding, records):
        logits = scorer(architecture, encoding)(*records)
        assert (logits.shape, logits.dtype) == ((12, 2), np.float32)
        assert np.isfinite(logits).all()
        assert np.ptp(logits, axis=0).min() > 1e-2

    def test_scores_both_strands_alike(self, architecture, encoding, records):
        codes, valid_length = records
        score = scorer(architecture, encoding)
        turned = reverse_complement(codes, valid_length)
        assert score(turned, valid_length) == pytest.approx(score(codes, valid_length), abs=1e-5)

    def test_one_strand_alone_does_not(self, architecture, encoding, records):
        if architecture == "gkm-linear":
            pytest.skip("its features are the same on both strands")
        codes, valid_length = records
        score = scorer(architecture, encoding, part="strand")
        turned = reverse_complement(codes, valid_length)
        assert np.abs(score(turned, valid_length) - score(codes, valid_length)).max() > 1e-2

    def test_what_stands_in_the_padding_has_no_influence(self, architecture, encoding, records):
        codes, valid_length = records
        score = scorer(architecture, encoding)
        dirty = codes.copy()
        padding = np.arange(LENGTH) >= valid_length[:, None]
        dirty[padding] = np.random.default_rng(6).integers(0, 4, int(padding.sum()))
        assert score(dirty, valid_length) == pytest.approx(score(codes, valid_length), abs=1e-6)

    def test_more_padding_has_no_influence(self, architecture, encoding, records):
        if architecture == "danq":
            pytest.skip("its dense layer has a weight for every place")
        codes, valid_length = records
        # neither 90 bases nor 30 3-mers are a multiple of the usual pooling widths
        longer = scorer(architecture, replace(encoding, length=90))
        padded = np.pad(codes, ((0, 0), (0, 30)), constant_values=AMBIGUOUS)
        assert longer(padded, valid_length) == pytest.approx(
            scorer(architecture, encoding)(codes, valid_length), abs=1e-5
        )

    def test_an_ambiguous_base_is_not_padding(self, architecture, encoding, records):
        if architecture in ("gkm-linear", "deepbind"):
            pytest.skip("it sums or takes the highest of what is there, and neither is anything")
        codes, _ = records
        score = scorer(architecture, encoding)
        codes[:, 30:] = AMBIGUOUS
        as_bases, as_padding = (score(codes, np.full(12, n, np.int32)) for n in (60, 30))
        assert np.abs(as_bases - as_padding).max() > 1e-3

    def test_does_not_depend_on_the_batch(self, architecture, encoding, records):
        codes, valid_length = np.tile(records[0], (6, 1))[:64], np.tile(records[1], 6)[:64]
        score = scorer(architecture, encoding)
        whole = score(codes, valid_length)
        for size in (1, 8):
            found = [score(codes[i : i + size], valid_length[i : i + size]) for i in range(0, 64, size)]
            assert np.concatenate(found) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("option", OPTIONS)
# gkm-linear has no network that an option could change
@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "gkm-linear"])
def test_an_option_counts_where_the_architecture_takes_it(architecture, option):
    def shapes(spec):
        return [(variable.path, variable.shape) for variable in build(spec).weights]

    spec = spec_of(architecture, ENCODINGS["kmer" if architecture == "kegru" else "onehot"])
    other = {"cell": "jordan", "units": spec.units + 1, "layers": spec.layers + 1}[option]
    changed = shapes(replace(spec, **{option: other})) != shapes(spec)
    assert changed == (option in options_of(architecture))


def test_stacks_recurrent_layers():
    network = build(replace(spec_of("bilstm", ENCODINGS["onehot"]), layers=2))
    names = {layer.name for layer in network.get_layer("strand").layers}
    assert {"recurrent_1_forward", "recurrent_2_backward"} <= names
    assert "recurrent_3_forward" not in names


def test_has_the_cell_that_is_asked_for():
    network = build(replace(spec_of("conv-bilstm", ENCODINGS["onehot"]), cell="gru"))
    assert isinstance(network.get_layer("strand").get_layer("recurrent_1_forward"), keras.layers.GRU)


def test_recurrent_layers_can_use_cudnn():
    # no mask, and the activations that the cuDNN kernels know
    strand = build(spec_of("bigru", ENCODINGS["onehot"])).get_layer("strand")
    layer = strand.get_layer("recurrent_1_forward")
    assert layer.activation is keras.activations.tanh
    assert layer.recurrent_activation is keras.activations.sigmoid
    assert layer.reset_after
    assert (layer.recurrent_dropout, layer.unroll) == (0, False)
