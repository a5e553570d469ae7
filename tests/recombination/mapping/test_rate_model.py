from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.packed import PackedCalls
from tfbind.recombination.checks.local_structure import Stretch
from tfbind.recombination.learning.examples import Scaling
from tfbind.recombination.mapping import rate_model
from tfbind.recombination.mapping.card import read_rate_card
from tfbind.recombination.mapping.posterior import windows_of
from tfbind.recombination.mapping.rate_model import (
    SHIPPED,
    RateModel,
    block_rates,
    load_rate_model,
    rates_of_grids,
    read_in_chunks,
)
from tfbind.recombination.options import OUTPUTS

DATA = Path(__file__).parents[2] / "data"


class TokensAt(NamedTuple):
    """Tokens and their features."""

    start: np.ndarray
    end: np.ndarray
    x: np.ndarray


class TestChunks:
    """A stand-in for a network tells of each token how many are before and after it in what was read together."""

    @staticmethod
    def outputs(x, valid_length):
        found = np.zeros((*x.shape[:2], OUTPUTS), np.float32)
        for row, n in enumerate(valid_length):
            found[row, :n, 0], found[row, :n, 1] = np.arange(n), np.arange(n)[::-1]
            found[row, :, 2] = x[row, :, 0]
        return found

    @staticmethod
    def contigs(*lengths):
        return [np.arange(n, dtype=np.float32)[:, None] for n in lengths]

    @pytest.mark.parametrize("n", [1, 64, 512, 513, 2_000])
    def test_each_token_is_read_with_64_others_on_either_side(self, n):
        (found,) = read_in_chunks(self.outputs, self.contigs(n))
        before, after = found[:, 0], found[:, 1]
        at = np.arange(n)
        assert found[:, 2].tolist() == at.tolist()
        assert (before >= np.minimum(at, 64)).all()
        assert (after >= np.minimum(n - 1 - at, 64)).all()
        # no more than 512 at a time
        assert (before + after).max() == min(n, 512) - 1
        # far from the ends some tokens have no more around them than promised
        inner = (at >= 512) & (at < n - 512)
        if inner.any():
            assert (before[inner].min(), after[inner].min()) == (64, 64)

    def test_contigs_that_share_chunks_do_not_matter_to_each_other(self, monkeypatch):
        lengths = (5, 700, 1, 1_300)
        alone = [read_in_chunks(self.outputs, self.contigs(n))[0] for n in lengths]
        for together in (1, 3, 50):
            monkeypatch.setattr(rate_model, "CHUNKS_AT_ONCE", together)
            for one, other in zip(read_in_chunks(self.outputs, self.contigs(*lengths)), alone, strict=True):
                np.testing.assert_array_equal(one, other)

    def test_contigs_are_cut_into_tokens_four_times_a_quarter_of_one_further_on(self):
        # 80 common sites on 20 kb are 20 tokens of 1 kb
        calls = np.tile(np.array([[0, 0, 1, 1]], np.int8), (80, 1))
        genotypes = Genotypes("1", np.arange(80) * 250, calls, 1, 0, 20_000)
        model = RateModel(read_rate_card(SHIPPED), lambda x, _: np.zeros((*x.shape[:2], OUTPUTS), np.float32))
        tokens, _ = model.read(genotypes)
        assert tokens.pieces == 4
        assert tokens.rate.start.tolist() == list(range(0, 20_000, 250))
        assert tokens.token_width() == 1_000

    def test_portions_of_contigs_do_not_matter(self, monkeypatch):
        edges = {n: [np.r_[0, np.arange(1, n) * 10 + shift, n * 10] for shift in (0, 5)] for n in (4, 30, 7)}
        contigs = [
            [TokensAt(each[:-1], each[1:], x) for each in edges[n]]
            for n, x in ((n, np.random.default_rng(n).random((n, 3), np.float32)) for n in (4, 30, 7))
        ]
        scaling = Scaling(np.zeros(3, np.float32), np.ones(3, np.float32))

        def outputs(x, _):
            return np.repeat(x.mean(axis=2, keepdims=True), OUTPUTS, axis=2)

        whole = rates_of_grids(outputs, scaling, contigs)
        monkeypatch.setattr(rate_model, "CONTIGS_AT_ONCE", 2)
        for one, other in zip(rates_of_grids(outputs, scaling, contigs), whole, strict=True):
            np.testing.assert_array_equal(one.rate.values, other.rate.values)


class TestStretches:
    """Halves of a contig, read by the network that tfbind ships."""

    @staticmethod
    def stretches(genotypes):
        middle = genotypes.end // 2
        for start, end in ((0, middle), (middle, genotypes.end), (0, genotypes.end)):
            first, last = np.searchsorted(genotypes.positions, [start, end])
            part = replace(
                genotypes,
                positions=genotypes.positions[first:last],
                calls=genotypes.calls[first:last],
                start=start,
                end=end,
            )
            yield Stretch(part, start, end)

    def test_portions_do_not_matter(self, simulate, monkeypatch):
        genotypes, model = simulate(6, 2e5, seed=1), load_rate_model(threads=1)
        whole = model.read_stretches(self.stretches(genotypes))
        assert [(one.start, one.end) for one in whole] == [(0, 100_000), (100_000, 200_000), (0, 200_000)]
        monkeypatch.setattr(rate_model, "TOKENS_AT_ONCE", 1)
        assert model.read_stretches(self.stretches(genotypes)) == whole

    def test_blocks_are_as_windows(self, simulate):
        genotypes, model = simulate(6, 2e5, seed=1), load_rate_model(threads=1)
        tokens, _ = model.read(genotypes)
        starts, ends = np.array([0, 30_000]), np.array([50_000, 200_000])
        log_rate, sd = block_rates(tokens, starts, ends)
        for at in (0, 1):
            alone = windows_of(tokens, starts[at : at + 1], ends[at : at + 1])
            assert (log_rate[at], sd[at]) == (alone.median_log()[0], alone.sd[0])


@pytest.mark.parametrize("columns", [8, 520])
def test_calls_can_be_read_again_unless_they_are_given_away(columns):
    calls = np.random.default_rng(1).integers(0, 2, (80, columns)).astype(np.int8)
    # each site varies
    calls[:, :2] = 0, 1
    genotypes = Genotypes("1", np.arange(80) * 250, PackedCalls.of(calls), 1, 0, 20_000)
    model = RateModel(read_rate_card(SHIPPED), lambda x, _: np.zeros((*x.shape[:2], OUTPUTS), np.float32))
    kept, _ = model.read(genotypes)
    np.testing.assert_array_equal(genotypes.calls, calls)
    given, _ = model.read(genotypes, keep_calls=False)
    np.testing.assert_array_equal(given.rate.values, kept.rate.values)
    with pytest.raises(RuntimeError, match="let go"):
        np.asarray(genotypes.calls)
