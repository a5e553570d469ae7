import numpy as np
import pandas as pd
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.evaluation.comparison import COMPARISON_COLUMNS, bootstrap_pearson, compare_maps
from tfbind.recombination.evaluation.windows import JudgedMap
from tfbind.recombination.maps.reading import Truth
from tfbind.steps import StepFunction

N = 400
START = np.arange(N) * 100
TRUE = np.random.default_rng(0).lognormal(size=N)
TRUTH = Truth({"chr1": StepFunction.from_intervals(START, START + 100, TRUE)}, False, [])


def predicted(rate, start=START, scale=100, chrom="1", per_mutation=False):
    columns = {"chrom": chrom, "start": start, "end": start + scale, "rate": rate}
    table = pd.DataFrame(
        columns | {"rate_lower": rate / 2, "rate_upper": rate * 2, "note": "", "scale": scale}
    )
    return JudgedMap(table, per_mutation)


def noisy(sd, seed=1):
    return TRUE * np.exp(np.random.default_rng(seed).normal(0, sd, N))


class TestCompareMaps:
    def test_a_row_a_scale_and_map(self):
        table = compare_maps({"a": predicted(TRUE), "b": predicted(1.5 * TRUE)}, TRUTH, [100, 200])
        assert tuple(table) == COMPARISON_COLUMNS
        assert table[["scale", "map"]].to_numpy().tolist() == [[100, "a"], [100, "b"], [200, "a"], [200, "b"]]
        assert table["n_windows"].tolist() == [400, 400, 200, 200]
        assert table["n_blocks"].tolist() == [40, 40, 20, 20]
        assert table["block_bp"].tolist() == [1000, 1000, 2000, 2000]
        np.testing.assert_allclose(table["bias_ratio"], [1, 1.5, 1, 1.5])
        np.testing.assert_allclose(table["pearson_difference"], [np.nan, 0, np.nan, 0], atol=1e-12)
        np.testing.assert_array_equal(table["coverage95"], [1, 1, np.nan, np.nan])

    def test_finds_the_better_map(self):
        table = compare_maps({"good": predicted(noisy(0.2)), "bad": predicted(noisy(1))}, TRUTH, [100])
        good, bad = table.to_dict("records")
        assert bad["pearson_difference"] == pytest.approx(bad["pearson"] - good["pearson"])
        assert (
            bad["pearson_difference_ci95_low"]
            < bad["pearson_difference"]
            < bad["pearson_difference_ci95_high"]
            < 0
        )
        assert np.isnan(good["pearson_difference"])

    def test_only_windows_that_all_maps_know(self):
        gaps = np.where(START < 1000, np.nan, TRUE)
        ends = predicted(TRUE[:300], START[:300], chrom="chr1")
        table = compare_maps({"a": predicted(TRUE), "b": predicted(gaps), "c": ends}, TRUTH, [100])
        assert table["n_windows"].tolist() == [290] * 3

    def test_a_map_without_the_scale_is_averaged_over_the_windows_of_one_that_has_it(self):
        start = 50 + np.arange(100) * 200
        coarse = predicted(np.arange(100.0), start, scale=200)
        table = compare_maps({"fine": predicted(TRUE), "coarse": coarse}, TRUTH, [200])
        assert table["n_windows"].tolist() == [100, 100]
        assert table["pearson"][0] == pytest.approx(1)
        assert np.isnan(table["coverage95"][0])
        assert 0 <= table["coverage95"][1] < 1

    def test_few_blocks_give_no_interval(self):
        few = [predicted(noisy(sd)[:50], START[:50]) for sd in (0.2, 1)]
        table = compare_maps(dict(zip("ab", few, strict=True)), TRUTH, [100])
        assert table["n_blocks"].tolist() == [5, 5]
        assert table["pearson_difference"][1] < 0
        assert table["pearson_difference_ci95_low"].isna().all()

    @pytest.mark.filterwarnings("error")
    def test_a_flat_map_has_no_correlation(self):
        table = compare_maps({"a": predicted(TRUE), "flat": predicted(np.ones(N))}, TRUTH, [100])
        assert table["pearson"].isna().tolist() == [False, True]
        assert table["pearson_difference"].isna().all()

    def test_one_map_per_mutation(self):
        maps = {"a": predicted(TRUE), "b": predicted(TRUE * 1e8, per_mutation=True)}
        table = compare_maps(maps, TRUTH, [100])
        assert table["bias_ratio"].isna().tolist() == [False, True]
        assert table["pearson"].tolist() == pytest.approx([1, 1])

    def test_the_same_seed_gives_the_same_intervals(self):
        maps = {"a": predicted(noisy(0.2)), "b": predicted(noisy(1))}
        first, again, other = (compare_maps(maps, TRUTH, [100], seed) for seed in (0, 0, 1))
        pd.testing.assert_frame_equal(first, again)
        assert not first.equals(other)

    def test_nothing_in_common(self):
        maps = {"a": predicted(TRUE[:10], START[:10]), "b": predicted(TRUE[10:], START[10:])}
        with pytest.raises(TfbindError, match="no window is known to the truth and to all of a, b"):
            compare_maps(maps, TRUTH, [100])


class TestBootstrapPearson:
    def test_is_the_correlation_of_the_blocks_drawn(self):
        rng = np.random.default_rng(3)
        x, y = rng.normal(1e-8, 1e-9, (2, 60))
        block = np.repeat(np.arange(12), 5)
        drawn = np.random.default_rng(7).integers(0, 12, 12)
        at = np.concatenate([np.flatnonzero(block == each) for each in drawn])
        expected = np.corrcoef(x[at], y[at])[0, 1]
        assert bootstrap_pearson(x, y, block, seed=7, replicates=1) == pytest.approx([expected])

    @pytest.mark.filterwarnings("error")
    def test_a_draw_of_a_constant_has_none(self):
        values = np.array([1.0, 2.0])
        found = bootstrap_pearson(values, values, np.array([0, 1]))
        assert np.isnan(found).any()
        assert found[~np.isnan(found)] == pytest.approx(1)


@pytest.mark.parametrize(("n_windows", "n_blocks", "is_known"), [(90, 9, False), (91, 10, True)])
def test_ten_blocks_of_ten_windows_give_an_interval(n_windows, n_blocks, is_known):
    maps = {name: predicted(noisy(sd)[:n_windows], START[:n_windows]) for name, sd in (("a", 0.2), ("b", 1))}
    table = compare_maps(maps, TRUTH, [100])
    assert table["n_blocks"].tolist() == [n_blocks] * 2
    assert table["pearson_difference_ci95_low"].notna().tolist() == [False, is_known]


def test_the_interval_holds_the_middle_95_percent_of_1000_replicates():
    maps = {"a": predicted(noisy(0.2)), "b": predicted(noisy(1))}
    found = compare_maps(maps, TRUTH, [100], seed=3).iloc[1]
    block = np.arange(N) // 10
    replicates = [bootstrap_pearson(noisy(sd), TRUE, block, seed=3) for sd in (1, 0.2)]
    assert len(replicates[0]) == 1_000
    difference = np.sort(replicates[0] - replicates[1])
    # a fortieth of them is below the interval, another above it
    low, high = found["pearson_difference_ci95_low"], found["pearson_difference_ci95_high"]
    assert ((difference < low).sum(), (difference > high).sum()) == (25, 25)
