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
