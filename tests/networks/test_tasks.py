"""What recurrent networks are known for: from many to one, many to many, one to many, and memory."""

import importlib.util
import string
from pathlib import Path

import keras
import numpy as np
import pytest

from tfbind.networks.recurrent import recurrent_stack

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "recurrence.py"


@pytest.fixture(scope="module")
def recurrence():
    """The benchmark of memory and of the airline passengers; here it runs with few seeds."""
    spec = importlib.util.spec_from_file_location("recurrence", BENCHMARK)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def network_of(steps, features, outputs, *, cell, units, output, seed=0):
    keras.utils.set_random_seed(seed)
    x, n = keras.Input((steps, features)), keras.Input((), dtype="int32")
    h = recurrent_stack(x, n, cell=cell, units=units, output=output)
    return keras.Model([x, n], keras.layers.Dense(outputs)(h))


def fit(network, inputs, y, *, loss, rate, epochs, batch_size):
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(y) // batch_size))
    network.compile(keras.optimizers.Adam(schedule, global_clipnorm=1.0), loss)
    network.fit(inputs, y, epochs=epochs, batch_size=batch_size, verbose=0)


class TestMemory:
    @pytest.mark.parametrize("cell", ["lstm", "gru", "irnn"])
    def test_a_bit_is_carried_over_200_noisy_steps(self, recurrence, cell):
        assert recurrence.bit(cell, 1) > 0.97

    def test_a_plain_cell_does_not_learn_to_carry_it(self, recurrence):
        # what it ends with is chance, which the rounding of a processor decides: right, wrong, or between
        assert min(recurrence.bit("rnn", seed) for seed in (1, 2)) < 0.6


def test_airline_passengers_are_forecast_better_than_by_the_year_before_and_best_by_lstm(recurrence):
    error = {}
    for cell in ("lstm", "rnn"):
        error[cell] = np.mean([recurrence.airline(cell, seed) for seed in range(3)])
    assert recurrence.same_month_last_year() == pytest.approx(50.0, abs=0.1)
    assert error["lstm"] < error["rnn"] < 50
    assert error["lstm"] < 25


def test_many_to_one_tells_the_next_letter_of_the_alphabet():
    snippets = [(start, n) for n in range(1, 6) for start in range(26 - n)]
    x = np.zeros((len(snippets), 5, 26), np.float32)
    for row, (start, n) in enumerate(snippets):
        x[row, np.arange(n), start + np.arange(n)] = 1
    length = np.array([n for _, n in snippets], np.int32)
    following = np.array([start + n for start, n in snippets])
    # each letter is to be told after snippets of every length; some of these are kept back
    held_out = np.random.default_rng(0).random(len(snippets)) < 0.2
    network = network_of(5, 26, 26, cell="lstm", units=32, output="last")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    shown = [x[~held_out], length[~held_out]]
    fit(network, shown, following[~held_out], loss=loss, rate=0.02, epochs=120, batch_size=32)
    told = np.array(network([x[held_out], length[held_out]])).argmax(axis=1)
    letters = np.array(list(string.ascii_uppercase))
    assert held_out.sum() > 15
    assert "".join(letters[told]) == "".join(letters[following[held_out]])


def test_many_to_many_echoes_what_it_read_three_steps_before():
    rng = np.random.default_rng(0)
    x = rng.choice([-1.0, 1.0], (600, 20, 1)).astype(np.float32)
    y = np.concatenate([np.zeros((600, 3, 1)), x[:, :-3]], axis=1).astype(np.float32)
    length = rng.integers(5, 21, 600).astype(np.int32)
    mask = np.arange(20) < length[:, None]
    network = network_of(20, 1, 1, cell="gru", units=16, output="sequence")
    fit(
        network,
        [x[:500], length[:500]],
        y[:500] * mask[:500, :, None],
        loss="mse",
        rate=0.02,
        epochs=30,
        batch_size=50,
    )
    found = np.array(network([x[500:], length[500:]]))
    told = mask[500:] & (np.arange(20) >= 3)
    assert (np.sign(found[told]) == y[500:][told]).all()


def test_one_to_many_spells_the_word_of_a_number():
    words = ["ACGTAC", "TTTAAA", "GATTAC", "CCGGTA"]
    y = np.array([["ACGT".index(letter) for letter in word] for word in words])
    # the number is all there is to read, the same at every step: the rest is the network's own count
    x = np.repeat(np.eye(4, dtype=np.float32)[:, None], 6, axis=1)
    length = np.full(4, 6, np.int32)
    network = network_of(6, 4, 4, cell="gru", units=16, output="sequence")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    fit(network, [x, length], y, loss=loss, rate=0.03, epochs=150, batch_size=4)
    told = np.array(network([x, length])).argmax(axis=-1)
    assert ["".join("ACGT"[letter] for letter in word) for word in told] == words


def test_continues_a_noisy_periodic_function_from_its_own_predictions():
    window, period = 40, 20

    def clean(t):
        return np.sin(2 * np.pi * t / period) + 0.4 * np.sin(4 * np.pi * t / period)

    rng = np.random.default_rng(0)
    noisy = (clean(np.arange(600)) + rng.normal(scale=0.1, size=600)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(noisy, window + 1)
    network = network_of(window, 1, 1, cell="lstm", units=24, output="last")
    length = np.full(len(windows), window, np.int32)
    shown = [windows[:, :window, None], length]
    fit(network, shown, windows[:, window:], loss="mse", rate=0.02, epochs=30, batch_size=64)
    seen = list(noisy[-window:])
    for _ in range(3 * period):
        last = np.array(seen[-window:], np.float32)[None, :, None]
        seen.append(float(network([last, length[:1]])[0, 0]))
    truth = clean(np.arange(600, 600 + 3 * period))
    assert np.corrcoef(seen[window:], truth)[0, 1] > 0.97
    assert np.abs(np.array(seen[window:]) - truth).mean() < 0.2
