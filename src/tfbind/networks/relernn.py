"""ReLERNN's network: raw genotypes and positions of a window in, one recombination rate out."""

from __future__ import annotations

import keras

from tfbind.networks.recurrent import recurrent_stack


def relernn_network(*, columns: int, sites: int, units: int = 84) -> keras.Model:
    """Build the network of Adrion, Galloway & Kern 2020 (Mol Biol Evol 37:1790).

    A bidirectional GRU reads the sites of a window one by one; its last states and, beside them, all positions pass a
    linear layer each, then two more, with dropout of .35 between. There is no activation but the GRU's own. Padding is
    passed over, where the publication has the network read it.

    Parameters
    ----------
    columns : int
        Haplotypes, or unphased samples.
    sites : int
        The most that a window has.
    units : int
        Of one direction of the GRU.

    Returns
    -------
    keras.Model
        Inputs ``alleles`` (n, steps, columns) float32, steps at most ``sites``; ``places`` (n, sites) float32, 0 in the
        padding; ``valid_length`` (n,) int32. Output (n, 1) float32.
    """
    alleles = keras.Input((None, columns), name="alleles")
    places = keras.Input((sites,), name="places")
    valid_length = keras.Input((), dtype="int32", name="valid_length")
    read = recurrent_stack(
        alleles, valid_length, cell="gru", units=units, bidirectional=True, output="last", name="sites"
    )
    h = keras.layers.Dense(256, name="alleles_dense")(read)
    h = keras.layers.Dropout(0.35, name="alleles_dropout")(h)
    h = keras.layers.Concatenate(name="window")([h, keras.layers.Dense(256, name="places_dense")(places)])
    h = keras.layers.Dense(64, name="window_dense")(h)
    h = keras.layers.Dropout(0.35, name="window_dropout")(h)
    rate = keras.layers.Dense(1, name="rate")(h)
    return keras.Model([alleles, places, valid_length], rate, name="relernn")
