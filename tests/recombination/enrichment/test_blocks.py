import numpy as np
import pandas as pd
import pytest

from tfbind.recombination.enrichment.blocks import Blocks, number_blocks


def test_blocks_are_numbered_along_each_contig():
    blocks = number_blocks(pd.Series(["1", "1", "2", "1"]), pd.Series([0, 99, 50, 100]), 100)
    assert blocks.number.tolist() == [0, 0, 1, 2]
    assert (blocks.n, blocks.suffice) == (3, False)


class TestInterval:
    def test_by_hand(self):
        # log 1.5 +- t(0.975, 5) sqrt(6 / 5 * sum of squares)
        blocks = Blocks(100, np.arange(6), 6)
        above, below = np.array([1.0, 2, 1, 2, 1, 2]), np.ones(6)
        reach = np.exp(2.570582 * np.sqrt(6 / 5 * 6 * (1 / 18) ** 2))
        assert blocks.interval(above, below).tolist() == pytest.approx([1.5 / reach, 1.5 * reach])

    def test_sites_of_one_block_are_no_more_evidence(self):
        above = np.array([1.0, 2, 1, 2, 1, 2])
        once = Blocks(100, np.arange(6), 6).interval(above, np.ones(6))
        tenfold = Blocks(100, np.repeat(np.arange(6), 10), 6).interval(np.repeat(above, 10), np.ones(60))
        assert tenfold.tolist() == pytest.approx(once.tolist())

    def test_column_by_column(self):
        blocks = Blocks(100, np.arange(6), 6)
        columns = np.random.default_rng(0).random((6, 3))
        found = blocks.interval(columns, np.ones((6, 3)))
        assert found.shape == (2, 3)
        assert found[:, 1].tolist() == pytest.approx(blocks.interval(columns[:, 1], np.ones(6)).tolist())

    @pytest.mark.filterwarnings("error")
    def test_undefined(self):
        assert np.isnan(Blocks(100, np.arange(4), 4).interval(np.ones(4), np.ones(4))).all()
        assert np.isnan(Blocks(100, np.arange(6), 6).interval(np.zeros(6), np.ones(6))).all()
        assert np.isnan(Blocks(100, np.arange(6), 6).interval(np.ones(6), np.zeros(6))).all()

    def test_holds_the_truth_about_95_times_of_100(self):
        rng = np.random.default_rng(0)
        number = np.repeat(np.arange(15), 4)
        held = 0
        for _ in range(400):
            level = rng.lognormal(0, 0.5, 15)[number]
            low, high = Blocks(1, number, 15).interval(level * rng.lognormal(0, 0.3, 60), np.ones(60))
            held += low < np.exp(0.5**2 / 2 + 0.3**2 / 2) < high
        assert 0.91 <= held / 400 <= 0.98


@pytest.mark.parametrize(("n", "suffice"), [(1, False), (2, False), (4, False), (5, True), (6, True)])
def test_five_blocks_give_an_interval(n, suffice):
    blocks = number_blocks(pd.Series(["1"] * n), pd.Series(np.arange(n) * 100), 100)
    assert (blocks.n, blocks.suffice) == (n, suffice)
    found = blocks.interval(np.ones((n, 3)), np.ones((n, 3)))
    assert found.shape == (2, 3)
    assert np.isfinite(found).all() == suffice
