"""From a spec to a Keras model."""

from __future__ import annotations

import keras
from keras import layers

from tfbind.networks.bodies import BODIES
from tfbind.networks.layers import (
    BlankPadding,
    EvidenceSum,
    KmerReverseComplement,
    OneHotReverseComplement,
    ReverseValid,
    ValidSteps,
)
from tfbind.networks.spec import NetworkSpec


def build(spec: NetworkSpec, *, soft: bool = False) -> keras.Model:
    """Build the network that scores both strands: the mean of one strand's network applied to each.

    Parameters
    ----------
    spec : NetworkSpec
    soft : bool
        Take ``x`` as float32, so that it has a gradient; of one-hot bases alone.

    Returns
    -------
    keras.Model
        Inputs ``x`` ((n, length, 4) uint8, or (n, tokens) uint16 for k-mers), ``valid_length`` ((n,) int32,
        in bases) and, where the spec has them, ``tracks`` ((n, length, tasks) float32); output
        (n, n_tasks) float32 logits. A sequence and its reverse complement get the same logits (with k-mers:
        where the last one ends with the sequence, so that both strands' k-mers are the same ones), and what
        stands in the padding has no influence. The layer ``strand`` is the network of one strand, with the
        same inputs and output.
    """
    strand = build_strand(spec, soft=soft)
    inputs = _inputs(spec, soft)
    x, valid_length = inputs["x"], inputs["valid_length"]
    steps = ValidSteps(spec.k, spec.stride, name="valid_steps")(valid_length)
    if spec.vocabulary:
        other = {"x": KmerReverseComplement(spec.k, name="reverse_complement")(x, steps)}
    else:
        other = {"x": OneHotReverseComplement(name="reverse_complement")(x, steps)}
    other["valid_length"] = valid_length
    if spec.tracks:
        other["tracks"] = ReverseValid(name="reverse_tracks")(inputs["tracks"], valid_length)
    both = [strand(list(inputs.values())), strand(list(other.values()))]
    logits = layers.Average(name="both_strands")(both)
    return keras.Model(list(inputs.values()), logits, name=_model_name(spec))


def build_strand(spec: NetworkSpec, *, soft: bool = False) -> keras.Model:
    """Build the network of one strand; see `build`."""
    inputs = _inputs(spec, soft)
    logits = []
    if spec.tracks:
        logits.append(EvidenceSum(name="evidence")(inputs["tracks"]))
    if spec.layers:
        features = _features(spec, **inputs)
        features = layers.Dropout(spec.head_dropout, name="head_dropout")(features)
        # beside a linear model the network begins by adding nothing
        start = "zeros" if spec.tracks else "glorot_uniform"
        logits.append(layers.Dense(spec.n_tasks, kernel_initializer=start, name="logits")(features))
    total = layers.Add(name="evidence_and_network")(logits) if len(logits) > 1 else logits[0]
    return keras.Model(list(inputs.values()), total, name="strand")


def _features(spec: NetworkSpec, x, valid_length, tracks=None):
    """What the network makes of a sequence, before the last layer: (n, features)."""
    valid = ValidSteps(spec.k, spec.stride, name="valid_steps")(valid_length)
    if spec.vocabulary:
        sequence = layers.Embedding(spec.vocabulary, spec.embedding, name="kmer_embedding")(x)
    else:
        sequence = layers.Rescaling(1.0, name="to_float")(x)
    sequence = BlankPadding(name="input_mask")(sequence, valid)
    if tracks is not None:
        sequence = layers.Concatenate(name="sequence_and_tracks")([sequence, tracks])
    return BODIES[spec.body](sequence, valid, spec)


def _inputs(spec: NetworkSpec, soft: bool) -> dict[str, keras.KerasTensor]:
    bases = "float32" if soft else "uint8"
    shape, dtype = ((spec.length,), "int32") if spec.vocabulary else ((spec.length, 4), bases)
    inputs = {"x": keras.Input(shape, dtype=dtype, name="x")}
    inputs["valid_length"] = keras.Input((), dtype="int32", name="valid_length")
    if spec.tracks:
        inputs["tracks"] = keras.Input((spec.length, spec.n_tasks), name="tracks")
    return inputs


def _model_name(spec: NetworkSpec) -> str:
    return spec.architecture.replace("-", "_")
