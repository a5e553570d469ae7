import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from tfbind.binding.evaluation.bootstrap import paired_differences
from tfbind.binding.evaluation.comparison import compare, compare_folders, placements
from tfbind.errors import TfbindError

LABEL = np.array([1, 1, 1, 0, 0.0])
A = np.array([4, 3, 1, 2, 0.0])
B = np.array([4, 1, 2, 3, 2.0])


def two_models(rng, m, n, shift_a=1.0, shift_b=1.0):
    """Labels of m positives and n negatives, and two models' correlated scores."""
    label = np.repeat([1.0, 0.0], [m, n])
    common = rng.normal(size=m + n)
    a, b = (common + rng.normal(size=m + n) + shift * label for shift in (shift_a, shift_b))
    return label, a, b


def table(labels="11100", scores=A, **columns):
    known = {"1": 1, "0": 0, "?": None}
    frame = {
        "id": [f"s{i}" for i in range(len(labels))],
        "factor": "X",
        "label": pd.array([known[label] for label in labels], "Int8"),
        "score": scores,
        "split": "test",
        "cluster": "",
    }
    return pd.DataFrame(frame | columns)


@pytest.fixture
def folder(tmp_path):
    def folder(name, frame):
        path = tmp_path / name
        path.mkdir(parents=True)
        frame.to_csv(path / "predictions.tsv", sep="\t", index=False, na_rep="NA")
        return path

    return folder


class TestPlacements:
    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.integers(0, 6), min_size=1, max_size=30),
        st.lists(st.integers(0, 6), min_size=1, max_size=30),
    )
    def test_are_those_of_every_pair_ties_too(self, positive, negative):
        positive, negative = np.array(positive, float), np.array(negative, float)
        wins = np.heaviside(positive[:, None] - negative, 0.5)
        of_positive, of_negative = placements(positive, negative)
        assert np.abs(of_positive - wins.mean(axis=1)).max() < 1e-10
        assert np.abs(of_negative - wins.mean(axis=0)).max() < 1e-10

    def test_of_many_real_numbers(self):
        rng = np.random.default_rng(0)
        positive, negative = rng.normal(1, size=300), rng.normal(size=700).round(2)
        wins = np.heaviside(positive[:, None] - negative, 0.5)
        for found, expected in zip(placements(positive, negative), (wins.mean(1), wins.mean(0)), strict=True):
            assert np.abs(found - expected).max() < 1e-10


class TestCompare:
    def test_worked_by_hand(self):
        # a: every positive's share of negatives below it 1, 1, 1/2; every negative's of positives above 2/3, 1
        # b: 1, 0, 1/4 and 1/3, 1/2; the differences 0, 1, 1/4 and 1/3, 1/2 have variances 39/144 and 2/144
        found = compare(LABEL, A, B)
        assert found.auroc_a == pytest.approx(5 / 6)
        assert found.auroc_b == pytest.approx(5 / 12)
        assert found.difference == pytest.approx(5 / 12)
        error = math.sqrt(39 / 144 / 3 + 2 / 144 / 2)
        assert found.ci95_low == pytest.approx(5 / 12 - 1.959964 * error, abs=1e-6)
        assert found.ci95_high == pytest.approx(5 / 12 + 1.959964 * error, abs=1e-6)
        # z = 5 / sqrt(14) = 1.336
        assert found.p == pytest.approx(0.18145, abs=2e-5)
        assert (found.n_positive, found.n_negative, found.method) == (3, 2, "DeLong")

    def test_turns_with_its_models(self):
        one, other = compare(LABEL, A, B), compare(LABEL, B, A)
        assert (other.difference, other.ci95_low, other.ci95_high) == pytest.approx(
            (-one.difference, -one.ci95_high, -one.ci95_low)
        )
        assert other.p == pytest.approx(one.p)

    def test_the_variance_is_the_bootstraps(self):
        label, a, b = two_models(np.random.default_rng(1), 200, 300, 1.2, 0.9)
        found = compare(label, a, b)
        error = (found.ci95_high - found.ci95_low) / 2 / 1.959964
        drawn = paired_differences(label == 1, a, b, np.arange(500))
        assert error == pytest.approx(drawn.std(ddof=1), rel=0.07)
        # what the bootstrap puts on the far side of 0, twice
        assert found.p == pytest.approx(2 * (drawn < 0).mean(), abs=0.03)
        assert 0.001 < found.p < 0.2

    @pytest.mark.parametrize("cluster", [None, np.repeat(np.arange(50), 2)], ids=["DeLong", "bootstrap"])
    def test_the_same_order_is_no_difference(self, cluster):
        rng = np.random.default_rng(2)
        label, score = np.tile([1.0, 0.0], 50), rng.normal(size=100)
        found = compare(label, score, np.exp(score), cluster)
        assert (found.difference, found.ci95_low, found.ci95_high, found.p) == (0, 0, 0, 1)

    def test_p_is_uniform_where_models_are_equally_good(self):
        rng = np.random.default_rng(3)
        p = [compare(*two_models(rng, 60, 80)).p for _ in range(400)]
        assert kstest(p, "uniform").pvalue > 0.01
        assert 0.02 < np.mean(np.array(p) < 0.05) < 0.09

    def test_a_single_class_is_undefined(self):
        found = compare(np.ones(3), A[:3], B[:3])
        assert np.isnan(found[2:8]).all()
        assert found.method == "none: needs positives and negatives"

    def test_a_single_positive_has_a_difference_and_no_test(self):
        found = compare(np.array([1, 0, 0.0]), np.array([2, 1, 0.0]), np.array([1, 2, 0.0]))
        assert (found.difference, found.method) == (
            0.5,
            "DeLong of 1 and 2 examples: no variance to judge by",
        )
        assert np.isnan([found.ci95_low, found.ci95_high, found.p]).all()

    def test_a_perfect_model_and_a_constant_one(self):
        found = compare(LABEL, LABEL, np.zeros(5))
        assert found.difference == 0.5
        assert np.isnan(found.p)

    def test_what_either_could_not_score_is_left_out_and_counted(self):
        gap = np.array([np.nan])
        label = np.append(LABEL, [1, 0, np.nan])
        found = compare(label, np.concatenate([A, gap, [1], gap]), np.concatenate([B, [1], gap, gap]))
        assert found.n_not_scored == 2
        assert found._replace(n_not_scored=0) == compare(LABEL, A, B)


class TestClusters:
    def test_copies_do_not_narrow_the_interval(self):
        label, a, b = two_models(np.random.default_rng(4), 100, 100)
        once = compare(label, a, b)
        copied = compare(*(np.tile(values, 5) for values in (label, a, b)), np.tile(np.arange(200), 5))
        fooled = compare(*(np.tile(values, 5) for values in (label, a, b)))
        assert copied.method == "bootstrap of 200 clusters, 1000 replicates"
        assert copied.difference == pytest.approx(once.difference)
        assert copied.ci95_high - copied.ci95_low == pytest.approx(once.ci95_high - once.ci95_low, rel=0.1)
        assert fooled.ci95_high - fooled.ci95_low < 0.5 * (once.ci95_high - once.ci95_low)

    def test_p_is_uniform_for_paired_examples(self):
        # a positive and its shuffle share part of what each model says of them
        rng = np.random.default_rng(5)
        label, cluster = np.tile([1.0, 0.0], 60), np.repeat(np.arange(60), 2)
        p = []
        for _ in range(60):
            a, b = (np.repeat(rng.normal(size=60), 2) + rng.normal(size=120) + label for _ in range(2))
            p.append(compare(label, a, b, cluster).p)
        assert kstest(p, "uniform").pvalue > 0.01

    def test_of_one_example_each_are_none(self):
        label, a, b = two_models(np.random.default_rng(6), 20, 20)
        assert compare(label, a, b, np.arange(40)) == compare(label, a, b)

    def test_too_few_to_draw(self):
        label, a, b = two_models(np.random.default_rng(7), 20, 20)
        found = compare(label, a, b, np.arange(40) % 3)
        assert found.method.startswith("DeLong, because only 3 clusters")
        assert found.p == compare(label, a, b).p

    def test_same_seed_same_p(self):
        label, a, b = two_models(np.random.default_rng(8), 40, 40)
        cluster = np.arange(80) % 40
        assert compare(label, a, b, cluster, seed=1) == compare(label, a, b, cluster, seed=1)
        assert compare(label, a, b, cluster, seed=1).p != compare(label, a, b, cluster, seed=2).p


class TestFolders:
    def test_every_pair_and_factor(self, folder):
        frames = [
            pd.concat([table(scores=scores, factor=factor) for factor in ("X", "NA")])
            for scores in (A, B, A[::-1])
        ]
        found = compare_folders([folder(name, frame) for name, frame in zip("abc", frames, strict=True)])
        known = ["factor", "a", "b", "n_positive", "n_negative", "auroc_a", "auroc_b", "difference"]
        assert list(found) == [*known, "ci95_low", "ci95_high", "p", "method", "n_not_scored"]
        pairs = found[["factor", "a", "b"]].agg(" ".join, axis=1).tolist()
        assert pairs == [f"{factor} {pair}" for factor in ("X", "NA") for pair in ("a b", "a c", "b c")]
        assert found["difference"].iloc[0] == pytest.approx(5 / 12)

    def test_another_order_is_brought_in_line(self, folder):
        found = compare_folders([folder("a", table()), folder("b", table(scores=B).iloc[::-1])])
        assert found["difference"].item() == pytest.approx(5 / 12)

    def test_unscored_and_unknown_examples(self, folder):
        frame = table("11100?", [*A, 9])
        frame.loc[0, "score"] = np.nan
        found = compare_folders([folder("a", frame), folder("b", table("11100?", [*B, 0]))])
        assert found[["n_positive", "n_negative", "n_not_scored"]].to_numpy().tolist() == [[2, 2, 1]]

    def test_clusters_of_either_are_heeded(self, folder):
        rng = np.random.default_rng(9)
        label, a, b = two_models(rng, 20, 20)
        labels = "".join(f"{value:.0f}" for value in label)
        clustered = table(labels, a, cluster=[str(i % 20) for i in range(40)])
        found = compare_folders([folder("a", clustered), folder("b", table(labels, b))])
        assert found["method"].item() == "bootstrap of 20 clusters, 1000 replicates"

    def test_folders_of_one_name_go_by_their_paths(self, folder):
        paths = [folder("one/ev", table()), folder("two/ev", table(scores=B))]
        assert compare_folders(paths)[["a", "b"]].to_numpy().tolist() == [[str(path) for path in paths]]


class TestRefused:
    @pytest.mark.parametrize(
        ("other", "message"),
        [
            (table("11101"), r"b/predictions\.tsv: 1 of 5 examples have another label than in .*a/pred.*"
             r" the first is 's4' of factor 'X': found 1, expected 0$"),
            (table("1110?"), "found NA, expected 0$"),
            (table(id=["s0", "s1", "new", "s3", "s4"]), "2 examples are not in both this and .*, the first is 'new'"),
            (table(factor="Y"), "10 examples are not in both"),
            (table(split="fold2"), "5 of 5 examples have another split .* found fold2, expected test"),
            (table(split=["test"] * 4 + ["fold2"]), r"found 2 splits \(test, fold2\), expected one"),
            (table()[:0], r"found 0 splits"),
            (table().drop(columns="cluster"), "found no column 'cluster', expected the columns id, factor,"),
            (table(scores=["1", "2", "x", "3", "4"]), "line 4: found score 'x', expected a number or NA"),
            (table(label=["1", "1", "1", "0", "2"]), "line 6: found label '2', expected 1, 0 or NA"),
            (table(id=["s0", "s0", "s2", "s3", "s4"]), "b/predictions.tsv: found 's0' twice for factor 'X'"),
            (table(cluster=list("00112")), "examples are clustered otherwise"),
        ],
    )  # fmt: skip
    def test_tables_that_do_not_match(self, folder, other, message):
        first = folder("a", table(cluster=list("00011")))
        with pytest.raises(TfbindError, match=message):
            compare_folders([first, folder("b", other)])

    def test_fewer_than_two_folders(self, folder):
        with pytest.raises(TfbindError, match="found 1 evaluation folder, expected at least two"):
            compare_folders([folder("a", table())])

    def test_no_predictions(self, folder, tmp_path):
        with pytest.raises(TfbindError, match=r"nowhere/predictions\.tsv: no such file"):
            compare_folders([folder("a", table()), tmp_path / "nowhere"])
