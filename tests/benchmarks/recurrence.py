"""What recurrent cells are known for, cell by cell and seed by seed, as a table.

    python tests/benchmarks/recurrence.py --cells lstm gru rnn irnn jordan --seeds 0 1 2 > table.tsv

bit      accuracy on unseen sequences of which the first of 200 steps gives a sign and the others are noise; the last
         state is to tell the sign. Chance is .5. The gates of LSTM and GRU start open for as long as there are steps
         (chrono initialisation, Tallec & Ollivier 2018): with a unit forget bias .73^200 of the gradient is left.
         The irnn does not learn it from every seed (of 0, 1 and 2, not from 2).
airline  root mean squared error, in thousands of passengers, of the forecasts of one month from the 12 before it, for
         the last two years; fitted to the ten before. "Same month last year" is the line to beat. The setting is one
         of six that were tried (windows of 12, 24 and 36 months, logarithms or not, 16 or 32 units) on three seeds;
         LSTM is ahead of rnn in two of them.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from tfbind.networks.recurrent import recurrent_stack
from tfbind.networks.spec import CELLS

BIT_STEPS, BIT_UNITS, NOISE = 200, 16, 0.5
WINDOW, HELD_OUT = 12, 24
# roughly the standard deviation of a logarithm within a year, so that the network reads numbers near 1
SPREAD = 0.2
# of Adam, for the bit; the irnn's small start bears less
RATES = {"lstm": 0.01, "gru": 0.01, "rnn": 0.01, "irnn": 0.001, "jordan": 0.01}
# international airline passengers, thousands a month, 1949 to 1960: Box & Jenkins 1976, Series G
PASSENGERS = """
112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114 140
145 150 178 163 172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191 172 194
196 196 236 235 229 243 264 272 237 211 180 201 204 188 235 227 234 264 302 293 259 229 203 229
242 233 267 269 270 315 364 347 312 274 237 278 284 277 317 313 318 374 413 405 355 306 271 306
315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348 363 435 491 505 404 359 310 337
360 342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535 622 606 508 461 390 432
"""


def network_of(cell: str, steps: int, features: int, units: int) -> keras.Model:
    """Build a network whose last state gives one number."""
    x = keras.Input((steps, features))
    valid_length = keras.Input((), dtype="int32")
    h = recurrent_stack(x, valid_length, cell=cell, units=units, output="last")
    return keras.Model([x, valid_length], keras.layers.Dense(1)(h))


def open_gates(network: keras.Model, cell: str, steps: int) -> None:
    """Let LSTM's and GRU's gates begin open for 1 to ``steps`` steps (Tallec & Ollivier 2018)."""
    if cell not in ("lstm", "gru"):
        return
    layer = network.get_layer("recurrent_1")
    *matrices, bias = layer.get_weights()
    units = layer.units
    keep = np.log(np.random.default_rng(0).uniform(1, steps - 1, units))
    if cell == "lstm":
        bias[:units], bias[units : 2 * units] = -keep, keep
    else:
        bias[0, :units] = keep
    layer.set_weights([*matrices, bias])


def bits(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make (n, steps, 2) sequences, a sign at the first step and noise beside it, and (n, 1) labels."""
    rng = np.random.default_rng(seed)
    sign = rng.choice([-1.0, 1.0], n)
    x = np.zeros((n, BIT_STEPS, 2), np.float32)
    x[:, 0, 0], x[:, :, 1] = sign, rng.normal(scale=NOISE, size=(n, BIT_STEPS))
    return x, (sign > 0).astype(np.float32)[:, None]


def bit(cell: str, seed: int) -> float:
    """Accuracy after 300 steps of 32 sequences."""
    keras.utils.set_random_seed(seed)
    network = network_of(cell, BIT_STEPS, 2, BIT_UNITS)
    open_gates(network, cell, BIT_STEPS)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    network.compile(keras.optimizers.Adam(RATES[cell], global_clipnorm=1.0), loss)
    x, y = bits(32 * 300, 2 * seed)
    network.fit([x, np.full(len(x), BIT_STEPS, np.int32)], y, batch_size=32, epochs=1, verbose=0)
    x, y = bits(256, 2 * seed + 1)
    logits = network.predict([x, np.full(len(x), BIT_STEPS, np.int32)], batch_size=256, verbose=0)
    return float(((logits > 0) == (y > 0)).mean())


def airline(cell: str, seed: int) -> float:
    """Root mean squared error of the last two years."""
    keras.utils.set_random_seed(seed)
    passengers = np.array(PASSENGERS.split(), float)
    log = np.log(passengers)
    windows = np.lib.stride_tricks.sliding_window_view(log, WINDOW + 1)
    # each window against its own mean: growth is in proportion, so every year looks like the others
    level = windows[:, :WINDOW].mean(axis=1, keepdims=True)
    scaled = ((windows - level) / SPREAD).astype(np.float32)
    x, y = scaled[:, :WINDOW, None], scaled[:, WINDOW:]
    n, length = len(x) - HELD_OUT, np.full(len(x), WINDOW, np.int32)
    network = network_of(cell, WINDOW, 1, 16)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, 300), global_clipnorm=1.0)
    optimizer.build(network.trainable_variables)

    # all windows at once: ten times as fast as Keras's own loop
    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(network([x[:n], length[:n]], training=True) - y[:n]))
        optimizer.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)

    for _ in range(300):
        step()
    forecast = np.array(network([x[n:], length[n:]])) * SPREAD + level[n:]
    return root_mean_square(np.exp(forecast[:, 0]) - passengers[-HELD_OUT:])


def same_month_last_year() -> float:
    """Root mean squared error of the last two years if each month is as it was a year before."""
    passengers = np.array(PASSENGERS.split(), float)
    return root_mean_square(passengers[-HELD_OUT - 12 : -12] - passengers[-HELD_OUT:])


def root_mean_square(errors: np.ndarray) -> float:
    """Give the root of the mean of the squares."""
    return float(np.sqrt(np.mean(errors**2)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=("bit", "airline"), default=("bit", "airline"))
    parser.add_argument("--cells", nargs="+", choices=CELLS, default=CELLS)
    parser.add_argument("--seeds", nargs="+", type=int, default=(0, 1, 2))
    args = parser.parse_args()
    print("task", "cell", "seed", "value", "seconds", sep="\t")
    print("airline", "same month last year", "NA", f"{same_month_last_year():.3f}", "NA", sep="\t")
    for task in args.tasks:
        for cell in args.cells:
            for seed in args.seeds:
                start = time.monotonic()
                value = {"bit": bit, "airline": airline}[task](cell, seed)
                seconds = time.monotonic() - start
                print(task, cell, seed, f"{value:.3f}", f"{seconds:.1f}", sep="\t", flush=True)


if __name__ == "__main__":
    main()
