"""Network bodies: from a sequence of vectors to one vector of features.

Each takes ``sequence`` (n, steps, channels) with blank padding, ``valid`` (n,) int32 steps before the padding and
the spec, and gives (n, features). Each stands for one strand; `tfbind.networks.build` joins both.
"""

from __future__ import annotations

from keras import layers

from tfbind.networks.layers import BlankPadding, PoolValid, SinusoidalPositions, ValidMask, ValidSteps
from tfbind.networks.recurrent import LastValid, bidirectional
from tfbind.networks.spec import DANQ_HIDDEN, HEADS, NetworkSpec


def conv_recurrent(sequence, valid, spec: NetworkSpec):
    """A convolution, bidirectional recurrent layers, maximum and mean over time.

    After DanQ (Quang & Xie 2016), with what it lacks for small data: few units, both strands, batch
    normalization, and pooling over time in place of a large dense layer.
    """
    h = sequence
    pooled = []
    if spec.filters:
        h, valid, highest = _convolution(h, valid, spec)
        # a motif's best match reaches the head directly, too: without this the filters learn slowly, since
        # all they hear comes back through the recurrence
        pooled.append(highest)
    for number in range(1, spec.layers + 1):
        if number > 1:
            h = layers.Dropout(spec.dropout, name=f"recurrent_{number}_dropout")(h)
        h = bidirectional(h, valid, spec.cell, spec.units, f"recurrent_{number}")
    pooled.append(PoolValid(name="pool_time")(h, valid))
    return layers.Concatenate(name="features")(pooled) if len(pooled) > 1 else pooled[0]


def deepbind(sequence, valid, spec: NetworkSpec):
    """DeepBind (Alipanahi et al. 2015, Nat Biotechnol 33:831): motif detectors, their maxima, a hidden layer.

    It takes the higher strand; here, as in all networks of tfbind, the strands' logits are averaged.
    """
    h = layers.Conv1D(spec.filters, spec.kernel_size, padding="same", activation="relu", name="convolution")(
        sequence
    )
    h = BlankPadding(name="convolution_mask")(h, valid)
    h = layers.GlobalMaxPooling1D(name="convolution_maximum")(h)
    h = layers.Dropout(spec.dropout, name="convolution_dropout")(h)
    return layers.Dense(spec.units, activation="relu", name="hidden")(h)


def danq(sequence, valid, spec: NetworkSpec):
    """DanQ (Quang & Xie 2016, Nucleic Acids Res 44:e107): convolution, wide pooling, BiLSTM, a dense layer.

    Sizes are the paper's: 320 filters of 26 bases, pooling over 13, 320 units, 925 hidden units. The paper's
    convolution has no padding; here positions near an end see zeros.
    """
    h = layers.Conv1D(spec.filters, spec.kernel_size, padding="same", activation="relu", name="convolution")(
        sequence
    )
    h = BlankPadding(name="convolution_mask")(h, valid)
    h, valid = _pool(h, valid, spec.pool)
    h = layers.Dropout(spec.dropout, name="convolution_dropout")(h)
    h = bidirectional(h, valid, spec.cell, spec.units, "recurrent_1")
    h = BlankPadding(name="recurrent_mask")(h, valid)
    h = layers.Dropout(spec.head_dropout, name="recurrent_dropout")(h)
    return layers.Dense(DANQ_HIDDEN, activation="relu", name="hidden")(layers.Flatten(name="flat")(h))


def kegru(sequence, valid, spec: NetworkSpec):
    """KEGRU (Shen, Bao & Huang 2018, Sci Rep 8:15270): embedded k-mers, a bidirectional GRU, its last states.

    The paper starts the embedding from word2vec; here it is learned with the rest. 5-mers every 2 bases are the
    paper's; the sizes are ours.
    """
    h = bidirectional(sequence, valid, spec.cell, spec.units, "recurrent_1")
    return LastValid(both_ways=True, name="last_states")(h, valid)


def transformer(sequence, valid, spec: NetworkSpec):
    """A small encoder (Vaswani et al. 2017) on a convolution's pooled steps, in place of the recurrence."""
    h, valid, _ = _convolution(sequence, valid, spec)
    mask = ValidMask(name="attention_mask")(h, valid)
    h = SinusoidalPositions(name="positions")(h)
    for number in range(1, spec.layers + 1):
        name = f"encoder_{number}"
        attended = layers.LayerNormalization(name=f"{name}_norm_1")(h)
        attended = layers.MultiHeadAttention(
            HEADS, max(1, spec.units // HEADS), dropout=spec.dropout, name=f"{name}_attention"
        )(attended, attended, attention_mask=mask)
        h = layers.Add(name=f"{name}_sum_1")([h, attended])
        wide = layers.LayerNormalization(name=f"{name}_norm_2")(h)
        wide = layers.Dense(2 * spec.units, activation="gelu", name=f"{name}_wide")(wide)
        wide = layers.Dense(h.shape[-1], name=f"{name}_narrow")(wide)
        h = layers.Add(name=f"{name}_sum_2")([h, layers.Dropout(spec.dropout, name=f"{name}_dropout")(wide)])
    return PoolValid(name="pool_time")(layers.LayerNormalization(name="last_norm")(h), valid)


BODIES = {
    "conv-recurrent": conv_recurrent,
    "deepbind": deepbind,
    "danq": danq,
    "kegru": kegru,
    "transformer": transformer,
}


def _convolution(h, valid, spec: NetworkSpec):
    """Convolve, normalize and pool; also give each filter's maximum."""
    h = layers.Conv1D(spec.filters, spec.kernel_size, padding="same", use_bias=False, name="convolution")(h)
    h = layers.BatchNormalization(name="convolution_norm")(h)
    h = layers.ReLU(name="convolution_relu")(h)
    h = BlankPadding(name="convolution_mask")(h, valid)
    highest = layers.GlobalMaxPooling1D(name="convolution_maximum")(h)
    if spec.pool > 1:
        h, valid = _pool(h, valid, spec.pool)
    return layers.Dropout(spec.dropout, name="convolution_dropout")(h), valid, highest


def _pool(h, valid, size: int):
    """Pool from the first step on, whatever the length, so that padding moves no window; ``h`` is not negative."""
    h = layers.ZeroPadding1D((0, -h.shape[1] % size), name="pool_padding")(h)
    h = layers.MaxPooling1D(size, name="pool")(h)
    return h, ValidSteps(size, size, partial=True, name="pooled_steps")(valid)
