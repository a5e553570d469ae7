import json

import numpy as np
import pandas as pd
import pytest

from tfbind.dna.peaks import Peak
from tfbind.errors import TfbindError
from tfbind.recombination.enrichment.measure import LEFT_OUT, SITE_COLUMNS, measure_enrichment
from tfbind.recombination.evaluation.windows import JudgedMap

WIDTH = 1_000
N = 5_000
START = np.arange(N) * WIDTH


def site(at, contig="1"):
    return Peak(contig, at - 10, at + 10, "", np.nan, at)


def predicted(rate, contig="chr1", n_sites=10, scale=WIDTH, per_mutation=True):
    columns = {"chrom": contig, "start": START, "end": START + WIDTH, "n_sites": n_sites, "rate": rate}
    columns |= {"rate_lower": np.nan, "rate_upper": np.nan, "note": "", "scale": scale}
    return JudgedMap(pd.DataFrame(columns), per_mutation)


def landscape(seed, factor=1.0, n=100):
    """Make a rough landscape, and sites in random windows whose rates are multiplied."""
    rng = np.random.default_rng(seed)
    rate = rng.lognormal(0, 0.3, N)
    at = np.sort(rng.choice(np.arange(100, N - 100), n, replace=False))
    rate[at] *= factor
    return predicted(rate), [site(int(start) + WIDTH // 2) for start in START[at]]


class TestPlanted:
    @pytest.mark.parametrize("factor", [4.0, 0.25])
    def test_ratio_interval_and_p(self, factor):
        metrics = measure_enrichment(*landscape(1, factor)).metrics
        assert metrics["ratio"] == pytest.approx(factor, rel=0.1)
        low, high = metrics["ratio_ci95"]
        assert low < factor < high
        assert high / low < 1.5
        assert metrics["p"] == pytest.approx(2 / 1001)
        assert metrics["ratio_unmatched"] == pytest.approx(metrics["ratio"], rel=0.1)
        assert metrics["ratio_to_flanks"] == pytest.approx(factor, rel=0.2)
        assert (metrics["n_used"], metrics["n_blocks"], metrics["window"], metrics["flank"]) == (
            100,
            10,
            WIDTH,
            50_000,
        )

    def test_exactly_where_all_else_is_flat(self):
        rate = np.ones(N)
        rate[100::500] = 7
        found = measure_enrichment(predicted(rate), [site(int(s) + 500) for s in START[100::500]])
        assert found.metrics["ratio"] == pytest.approx(7)
        assert found.metrics["ratio_ci95"] == pytest.approx([7, 7])
        assert found.metrics["ratio_to_flanks"] == pytest.approx(7)
        profile = found.profile.set_index("distance")
        assert profile["ratio"].idxmax() == 0
        assert profile.loc[[-3000, 3000], "rate"].tolist() == [1, 1]
        assert profile.loc[0, ["start", "end", "n_sites", "rate"]].tolist() == [-500, 500, 10, 7]
        assert len(profile) == 101
        assert (found.sites["rate"] == 7).all()

    def test_a_wider_window_dilutes_it(self):
        rate = np.ones(N)
        rate[100::500] = 7
        sites = [site(int(s) + 500) for s in START[100::500]]
        found = measure_enrichment(predicted(rate), sites, window=3_000, flank=4_000)
        assert found.metrics["ratio"] == pytest.approx(3)
        assert found.profile["distance"].tolist() == [-4000, -3000, -2000, -1000, 0, 1000, 2000, 3000, 4000]

    def test_controls_match_in_the_number_of_sites(self):
        # rates follow the number of sites, and sites were called where there are many
        n_sites = np.random.default_rng(0).permutation(np.repeat([5, 50], N // 2))
        rate = np.where(n_sites == 5, 1.0, 4.0)
        sites = [site(int(start) + 500) for start in START[n_sites == 50][50:-50:20]]
        metrics = measure_enrichment(predicted(rate, n_sites=n_sites), sites).metrics
        assert metrics["ratio"] == pytest.approx(1, abs=0.1)
        assert metrics["ratio_unmatched"] == pytest.approx(1.6, abs=0.1)


class TestNone:
    def test_p_is_spread(self):
        ps = []
        for seed in range(40):
            predicted_map, sites = landscape(seed, n=30)
            found = measure_enrichment(predicted_map, sites, permutations=100, seed=seed, flank=1_000)
            ps.append(found.metrics["p"])
        assert np.mean(np.array(ps) <= 0.1) <= 0.2
        assert 0.35 <= np.mean(ps) <= 0.65

    def test_a_flat_map(self):
        metrics = measure_enrichment(predicted(np.full(N, 1e-8)), landscape(0)[1]).metrics
        assert metrics["ratio"] == pytest.approx(1)
        assert metrics["p"] == 1

    def test_a_map_of_zeros(self):
        found = measure_enrichment(predicted(np.zeros(N)), landscape(0)[1])
        assert [found.metrics[name] for name in ("ratio", "ratio_ci95", "p")] == [None] * 3
        json.dumps(found.metrics, allow_nan=False)


def test_same_seed_same_result():
    first, again, other = (
        measure_enrichment(*landscape(2), seed=seed, permutations=50) for seed in (0, 0, 1)
    )
    assert first.metrics == again.metrics
    pd.testing.assert_frame_equal(first.profile, again.profile)
    assert first.metrics["rate_controls"] != other.metrics["rate_controls"]


class TestSites:
    def test_what_does_not_count_is_named_and_counted(self):
        rate = np.where((START >= 50_000) & (START < 60_000), np.nan, 1.0)
        sites = [site(10_000), site(10_000), site(55_000), site(9_000_000), site(10, "X")]
        found = measure_enrichment(predicted(rate), sites, permutations=20)
        assert found.sites["left_out"].tolist() == [
            "",
            "duplicate",
            "no_rate",
            "no_rate",
            "contig_not_in_map",
        ]
        assert tuple(found.sites) == SITE_COLUMNS
        assert found.sites["chrom"].tolist() == ["1", "1", "1", "1", "X"]
        counts = [found.metrics[f"n_{reason}"] for reason in LEFT_OUT]
        assert (found.metrics["n_sites"], found.metrics["n_used"], counts) == (5, 1, [1, 1, 2, 0])
        assert (found.metrics["n_map_windows"], found.metrics["n_map_windows_na"]) == (N, 10)
        assert found.notes[0] == "contigs of the sites and the map match except for 'chr': 1 = chr1"
        assert found.notes[1] == "1 sites are on contigs that the map lacks: 'X'"

    def test_of_two_spellings_of_one_contig_are_refused(self):
        with pytest.raises(TfbindError, match="contigs '1' and 'chr1' are both 'chr1' in the map"):
            measure_enrichment(predicted(np.ones(N)), [site(10_000), site(20_000, "chr1")], permutations=20)

    def test_few_blocks_give_no_interval(self):
        found = measure_enrichment(predicted(np.ones(N)), [site(10_000), site(11_000)], permutations=20)
        assert found.metrics["ratio_ci95"] is None
        assert found.metrics["block_bp"] == 100_000
        assert found.notes[-1] == "sites lie in fewer than 5 blocks of 100,000 bp: no intervals"
        assert found.profile["rate_ci95_low"].isna().all()

    def test_smaller_blocks_where_there_are_few(self):
        sites = [site(at) for at in range(50_000, 1_000_000, 100_000)]
        found = measure_enrichment(predicted(np.ones(N)), sites, permutations=20)
        assert (found.metrics["block_bp"], found.metrics["n_blocks"]) == (100_000, 10)
        assert found.metrics["ratio_ci95"] == pytest.approx([1, 1])

    def test_none_counts(self):
        with pytest.raises(TfbindError, match=r"none of 1 sites counts .*1 no_rate"):
            measure_enrichment(predicted(np.ones(N)), [site(9_000_000)])
        with pytest.raises(
            TfbindError, match=r"the sites: 1 of 1 contigs \('7'\) are not in the map \(its contigs: 'chr1'\)"
        ):
            measure_enrichment(predicted(np.ones(N)), [site(10_000, "7")])


def test_a_map_without_numbers_of_sites_and_of_no_scale():
    table = predicted(np.ones(N), scale=0).table.drop(columns="n_sites")
    found = measure_enrichment(JudgedMap(table, False), [site(100_000)], permutations=20)
    assert (found.metrics["window"], found.metrics["bin"]) == (5_000, 5_000)
    assert any("controls match by contig alone" in note for note in found.notes)
    assert found.metrics["rate_unit"] == "per bp and generation"


class TestLimitsByHand:
    FLAT = np.ones(N)

    @pytest.mark.parametrize(("sites", "block_bp", "n_blocks"), [(5, 500_000, 5), (4, 100_000, 8)])
    def test_blocks_of_500_kb_where_there_are_five(self, sites, block_bp, n_blocks):
        # two sites in each block of 500 kb, in blocks of 100 kb of their own
        at = [500_000 * block + offset for block in range(sites) for offset in (50_000, 250_000)]
        metrics = measure_enrichment(predicted(self.FLAT), [site(a) for a in at], permutations=20).metrics
        assert (metrics["block_bp"], metrics["n_blocks"]) == (block_bp, n_blocks)

    @pytest.mark.parametrize(
        ("n_sites", "options", "drawn"), [(1, {}, 1_000), (40, {}, 4_000), (40, {"controls": 5_000}, 100_000)]
    )
    def test_a_hundred_places_a_site_a_thousand_at_least_and_a_hundred_thousand_at_most(
        self, n_sites, options, drawn
    ):
        sites = [site(100_000 * (number + 1)) for number in range(n_sites)]
        options = {"permutations": 2, "flank": 1_000} | options
        metrics = measure_enrichment(predicted(self.FLAT), sites, **options).metrics
        # of 5 Mb 2 kb around each site are not drawn from, and on a kb at the ends windows are not whole
        assert metrics["n_controls"] == pytest.approx(drawn * (1 - n_sites / 2_500), rel=0.01)

    @pytest.mark.parametrize(("width", "flank"), [(1_000, 50_000), (10_000, 50_000), (20_000, 80_000)])
    def test_the_profile_reaches_50_kb_and_four_bins_at_least(self, width, flank):
        table = predicted(self.FLAT).table
        table = table.assign(
            start=table["start"] * width // WIDTH, end=table["end"] * width // WIDTH, scale=width
        )
        found = measure_enrichment(JudgedMap(table, True), [site(2_000_000)], permutations=2)
        assert found.metrics["flank"] == found.profile["distance"].iloc[-1] == flank
        assert found.metrics["window"] == found.metrics["bin"] == width

    def test_controls_are_those_of_one_tenth_by_the_number_of_sites(self):
        # rates and numbers of sites rise along the contig: the places of a tenth of the numbers are a tenth of it
        rate = (np.arange(N) + 0.5) / N
        sites = [site(int(share * N) * WIDTH + 500) for share in (0.02, 0.08, 0.52, 0.98)]
        found = measure_enrichment(
            predicted(rate, n_sites=np.arange(N) + 10), sites, controls=5_000, permutations=2
        )
        assert found.sites["rate_controls"].tolist() == pytest.approx([0.05, 0.05, 0.55, 0.95], abs=0.005)
        assert found.metrics["ratio"] == pytest.approx(1, abs=0.01)

    @pytest.mark.parametrize(("apart", "is_dense"), [(2_270, False), (2_180, True)])
    def test_controls_keep_off_sites_where_that_leaves_a_tenth_of_the_places(self, apart, is_dense):
        # places 1 kb from the next site are 270 of 2,270 bp, or 180 of 2,180
        sites = [site(at) for at in range(10_000, N * WIDTH - 10_000, apart)]
        found = measure_enrichment(predicted(self.FLAT), sites, permutations=2, flank=1_000)
        assert any("sites are so dense" in note for note in found.notes) == is_dense

    def test_moved_sites_are_within_their_central_95_percent(self):
        # rates from 0 to 2 in random order; with one site a move gives any of them
        rate = np.random.default_rng(5).permutation(np.linspace(0, 2, N))
        found = measure_enrichment(predicted(rate), [site(1_000_500)], permutations=1_000, controls=20_000)
        centre = found.profile.set_index("distance").loc[0]
        assert centre["rate_controls"] == pytest.approx(1, abs=0.03)
        assert centre["rate_moved_low"] == pytest.approx(0.05, abs=0.04)
        assert centre["rate_moved_high"] == pytest.approx(1.95, abs=0.04)

    @pytest.mark.parametrize(
        ("window", "is_told"), [(999, True), (1_000, False), (None, False), (2_000, False)]
    )
    def test_a_window_that_is_narrower_than_the_maps_is_told(self, window, is_told):
        found = measure_enrichment(predicted(self.FLAT), [site(500_500)], window=window, permutations=7)
        assert any("is narrower than the map's" in note for note in found.notes) == is_told
        assert found.metrics["n_permutations"] == 7

    def test_moves_to_places_without_a_rate_do_not_count(self):
        # a tenth of the map has no rate, and nine tenths of 400 moves have one
        rate = np.where(START < 500_000, np.nan, 1.0)
        found = measure_enrichment(predicted(rate), [site(1_000_500)], permutations=400)
        assert found.metrics["n_permutations"] == pytest.approx(360, abs=20)
