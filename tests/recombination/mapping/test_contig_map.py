from dataclasses import replace

import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.mask import Accessible
from tfbind.recombination.checks.noted_blocks import NotedBlocks
from tfbind.recombination.mapping.contig_map import ContigMap
from tfbind.recombination.mapping.posterior import Calibration, TokenPosterior
from tfbind.recombination.maps.table import COLUMNS

CALIBRATION = Calibration((-1.96,) * 5, (1.96,) * 5)


def contig_map(positions, start=2_500, end=47_000, *, mask=None, token=2_000, note="", known=True):
    genotypes = Genotypes("c", np.array(positions), np.zeros((len(positions), 4), np.int8), 1, start, end)
    edges = np.append(np.arange(start, end, token), end)
    rate = np.arange(len(edges) - 1, dtype=float)
    tokens = TokenPosterior.from_edges(edges, rate, np.full((len(rate), 5), 0.3)) if known else None
    return ContigMap(genotypes, mask, tokens, CALIBRATION, note)


EVERYWHERE = np.arange(2_500, 47_000, 500)


def test_rows_tile_the_stretch_that_was_looked_at():
    table = contig_map(EVERYWHERE).table(10_000)
    assert tuple(table) == (*COLUMNS, "scale")
    assert table["start"].tolist() == [2_500, 10_000, 20_000, 30_000, 40_000]
    assert table["end"].tolist() == [10_000, 20_000, 30_000, 40_000, 47_000]
    assert table["n_sites"].tolist() == [15, 20, 20, 20, 14]
    assert table["note"].tolist() == [""] * 5
    # tokens of 2 kb with rates 0, 1, 2, ...: 3.75 of them in the first window
    assert table["rate"][0] == pytest.approx((0 + 1 + 2 + 0.75 * 3) / 3.75)
    assert (table["rate_lower"] <= table["rate"]).all()
    assert (table["rate"] <= table["rate_upper"]).all()


@pytest.mark.parametrize(
    ("start", "end", "starts"), [(0, 20_000, [0, 10_000]), (3, 4, [3]), (9_999, 10_001, [9_999, 10_000])]
)
def test_windows_begin_at_multiples(start, end, starts):
    assert contig_map([start], start, end).table(10_000)["start"].tolist() == starts


class TestGapsTooLongForChance:
    # tokens of 2 kb over the sites, and one that spans the gap
    FAR = 2_000_000

    @pytest.fixture(params=[False, True], ids=["without a mask", "with a mask"])
    def found(self, request):
        positions = np.concatenate([np.arange(0, 40_000, 100), np.arange(0, 40_000, 100) + self.FAR])
        edges = np.concatenate([np.arange(0, 40_000, 2_000), np.arange(0, 40_001, 2_000)[1:] + self.FAR])
        rate = np.where(np.arange(len(edges) - 1) < 20, 1.0, 3.0)
        tokens = TokenPosterior.from_edges(edges, rate, np.full((len(rate), 5), 0.3))
        sites = Genotypes("c", positions, np.zeros((800, 4), np.int8), 1, 0, self.FAR + 40_000)
        mask = Accessible(np.array([0, self.FAR]), np.array([40_000, self.FAR + 40_000]))
        return ContigMap(sites, mask if request.param else None, tokens, CALIBRATION)

    def test_have_rows_without_rates(self, found):
        table = found.table(20_000)
        assert (table["note"] == "").tolist() == table["rate"].notna().tolist()
        assert table.loc[table["note"] == "", "start"].tolist() == [0, 20_000, self.FAR, self.FAR + 20_000]
        assert set(table["note"]) == {"", "masked" if found.mask else "no_sites"}

    def test_do_not_weigh_in_the_means_of_wide_windows(self, found):
        assert found.table(3_000_000)["rate"].tolist() == pytest.approx([2], rel=0.06)

    def test_nor_in_the_mean_of_all(self, found):
        rate, lower, upper = found.mean_rate(20_000)
        assert rate == pytest.approx(2, rel=0.06)
        assert lower < rate < upper


def test_the_mean_rate_is_that_of_the_windows_with_one():
    positions = EVERYWHERE[(EVERYWHERE < 18_000) | (EVERYWHERE > 31_000)]
    found = contig_map(positions)
    table = found.table(10_000)
    rated = table.dropna(subset=["rate"])
    width = rated["end"] - rated["start"]
    assert len(rated) < len(table)
    assert found.mean_rate(10_000)[0] == pytest.approx((rated["rate"] * width).sum() / width.sum())


class TestGaps:
    def test_a_window_without_a_site_is_there_without_a_rate(self):
        positions = EVERYWHERE[(EVERYWHERE < 18_000) | (EVERYWHERE > 31_000)]
        table = contig_map(positions).table(10_000)
        assert table["note"].tolist() == ["", "", "no_sites", "", ""]
        assert table["rate"].isna().tolist() == [False, False, True, False, False]
        assert table["n_sites"][2] == 0

    def test_a_window_narrower_than_a_token_may_be_known_without_a_site(self):
        table = contig_map(np.arange(2_500, 47_000, 3_000)).table(1_000)
        assert (table["n_sites"] == 0).sum() > 20
        assert table["rate"].notna().all()

    def test_masked_windows(self):
        mask = Accessible(np.array([0, 30_500]), np.array([10_000, 50_000]))
        positions = EVERYWHERE[mask.contains(EVERYWHERE)]
        table = contig_map(positions, mask=mask).table(10_000)
        assert table["note"].tolist() == ["", "masked", "masked", "", ""]
        assert table["rate"].isna().tolist() == [False, True, True, False, False]

    def test_a_contig_that_nothing_is_said_of(self):
        mask = Accessible(np.array([0]), np.array([20_000]))
        table = contig_map([3_000], mask=mask, note="too_few_sites", known=False).table(10_000)
        assert table["note"].tolist() == ["too_few_sites"] * 2 + ["masked"] * 3
        assert table["rate"].isna().all()
        assert table["n_sites"].tolist() == [1, 0, 0, 0, 0]
        assert contig_map([3_000], known=False).hotspots(5) == []


def test_a_note_of_the_contig_is_on_every_row_with_a_rate():
    positions = EVERYWHERE[EVERYWHERE > 20_000]
    table = contig_map(positions, note="outside_training").table(10_000)
    assert table["note"].tolist() == ["no_sites"] * 2 + ["outside_training"] * 3


def test_notes_of_blocks_are_on_the_windows_that_touch_them():
    blocks = NotedBlocks(
        "local_structure", np.array([2_500, 21_000, 29_000, 47_000]), np.array([0, 1, 0], bool)
    )
    found = replace(contig_map(EVERYWHERE, note="sex_linked"), noted=(blocks,)).table(10_000)
    assert found["note"].tolist() == [
        "sex_linked",
        "sex_linked",
        "sex_linked,local_structure",
        "sex_linked",
        "sex_linked",
    ]


# windows of 5 kb
@pytest.mark.parametrize(("token", "expected"), [(10_000, ""), (10_100, "sparse_sites")])
def test_windows_of_less_than_half_a_token_are_noted(token, expected):
    table = contig_map(EVERYWHERE, 0, 47_000, token=token).table(5_000)
    # the last token is a shorter one
    assert table["note"].tolist() == [expected] * 8 + ["", ""]


def test_a_mask_does_not_hide_that_windows_are_narrow():
    # the last base of each kb is masked
    mask = Accessible(np.arange(0, 47_000, 1000), np.arange(999, 47_000, 1000))
    positions = EVERYWHERE[mask.contains(EVERYWHERE)]
    table = contig_map(positions, 0, 47_000, token=10_100, mask=mask).table(5_000)
    assert table["note"].tolist() == ["sparse_sites"] * 8 + ["", ""]


class TestStretchesWithoutASite:
    """Two tokens of 2 kb may be without a site; of wider stretches nothing is known."""

    @staticmethod
    def without_sites(width):
        """Windows of 1 kb, of which those from 10 to 13 kb have no site, where sites leave out ``width`` bp."""
        left = np.arange(0, 9_501, 500)
        return contig_map([*left, *range(9_500 + width, 20_000, 500)], 0, 20_000).table(1_000)

    @pytest.mark.parametrize("width", [3_500, 4_000])
    def test_as_wide_as_two_tokens_are_known(self, width):
        assert self.without_sites(width)["note"].tolist() == [""] * 20

    @pytest.mark.parametrize("width", [4_001, 5_000])
    def test_a_base_wider_than_two_tokens_are_not(self, width):
        table = self.without_sites(width)
        empty = (table["n_sites"] == 0).tolist()
        assert 3 <= sum(empty) <= 4
        assert (table["note"] == "no_sites").tolist() == empty
        assert table["rate"].isna().tolist() == empty

    @pytest.mark.parametrize(("width", "note"), [(4_000, ""), (4_001, "no_sites")])
    def test_at_the_ends_of_the_contig_as_well(self, width, note):
        sites = np.arange(0, 20_000, 500)
        front = contig_map(sites + width, 0, 25_000).table(1_000)
        assert front["note"].tolist() == [note] * 4 + [""] * 21
        # the last site is at 19,500
        back = contig_map(sites, 0, 19_500 + width).table(1_000)
        assert back["note"][:20].tolist() == [""] * 20
        assert set(back["note"][20:]) == {note}

    def test_nor_are_gaps_too_long_for_chance_within_a_wide_token(self):
        # a site each 10 bp but from 20 to 26 kb: more than 200 mean spacings, and less than two tokens of 20 kb
        sites = np.concatenate([np.arange(0, 20_001, 10), np.arange(26_000, 60_000, 10)])
        table = contig_map(sites, 0, 60_000, token=20_000).table(1_000)
        # the gap ends a mean spacing before the next site, so that the window from 25 kb has a few accessible bases
        assert table.loc[table["note"] == "no_sites", "start"].tolist() == list(range(21_000, 25_000, 1_000))


def test_the_interval_of_a_flat_map_by_hand():
    edges = np.arange(0, 20_001, 2_000)
    tokens = TokenPosterior.from_edges(edges, np.full(10, 2.0), np.full((10, 5), 0.3))
    calibration = Calibration((-1.5,) * 5, (2.5,) * 5)
    sites = Genotypes("c", np.arange(0, 20_000, 100), np.zeros((200, 4), np.int8), 1, 0, 20_000)
    found = ContigMap(sites, None, tokens, calibration)
    # the median of a log-normal distribution is half the variance below its mean; 0.001 is added to rates in logarithms
    median = np.log(2.001) - 0.3**2 / 2
    expected = [2, np.exp(median - 1.5 * 0.3) - 0.001, np.exp(median + 2.5 * 0.3) - 0.001]
    assert found.mean_rate(5_000) == pytest.approx(expected)
    for _, row in found.table(5_000).iterrows():
        assert row[["rate", "rate_lower", "rate_upper"]].tolist() == pytest.approx(expected)


class TestHotspots:
    @staticmethod
    def found(sites, mask=None):
        """The hotspots of tokens of 1 kb whose rate is 20 from 100 to 105 kb, and 1 elsewhere."""
        start = np.arange(0, 300_000, 1_000)
        rate = np.where((start >= 100_000) & (start < 105_000), 20.0, 1.0)
        tokens = TokenPosterior.from_edges(np.append(start, 300_000), rate, np.full((300, 5), 0.3))
        genotypes = Genotypes("c", sites, np.zeros((len(sites), 4), np.int8), 1, 0, 300_000)
        return [spot[:3] for spot in ContigMap(genotypes, mask, tokens, CALIBRATION).hotspots(5)]

    SITES = np.arange(0, 300_000, 250)

    def test_are_found_where_rates_are_known(self):
        assert self.found(self.SITES) == [("c", 100_000, 105_000)]

    def test_are_not_looked_for_in_masked_windows(self):
        mask = Accessible(np.array([0, 105_000]), np.array([100_000, 300_000]))
        assert self.found(self.SITES[mask.contains(self.SITES)], mask) == []

    def test_are_not_looked_for_in_windows_without_a_site(self):
        assert self.found(self.SITES[(self.SITES < 100_000) | (self.SITES >= 105_000)]) == []
