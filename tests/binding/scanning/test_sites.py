import numpy as np
import pytest
from planted import SITE, Matrix, plant

from tfbind.binding.scanning.sites import Maxima, find_sites, log_odds, q_values
from tfbind.binding.scanning.windows import window_starts
from tfbind.dna.alphabet import AMBIGUOUS, encode_any_letters
from tfbind.errors import TfbindError

LENGTH = 60


def scan(model, records, stride, distance=45):
    """Maxima of the first factor's scores over records, by name and letters."""
    maxima = Maxima(distance)
    for number, (_, letters) in enumerate(records):
        codes, wrong = encode_any_letters(letters)
        if len(codes) < LENGTH:
            codes = np.pad(codes, (0, LENGTH - len(codes)), constant_values=AMBIGUOUS)
        start = window_starts(len(letters), LENGTH, stride)
        windows = np.stack([codes[at : at + LENGTH] for at in start])
        score = model.logits(windows, np.full(len(start), LENGTH))[:, 0].astype(float)
        score[(windows == AMBIGUOUS).all(axis=1)] = np.nan
        score[[wrong[at : at + LENGTH].any() for at in start]] = np.nan
        maxima.add(number, start, np.minimum(start + LENGTH, len(letters)), score)
    return maxima


def find(model, records, stride=10, **options):
    return find_sites(
        model, scan(model, records, stride), lambda: iter(records), factor=0, stride=stride, **options
    )


def places(sites, q=0.01):
    called = sites.q <= q
    return list(
        zip(sites.record[called].tolist(), sites.summit[called].tolist(), sites.strand[called], strict=True)
    )


class TestFindSites:
    @pytest.mark.parametrize("stride", [1, 10, 25])
    @pytest.mark.parametrize("site", [SITE, SITE[:12]])
    def test_planted_sites_are_found_to_the_base_on_their_strand(self, stride, site):
        rng = np.random.default_rng(7)
        starts = np.arange(30) * 250 + rng.integers(10, 120, 30)
        strands = rng.choice(["+", "-"], 30)
        records = [("one", plant(rng, 8_000, starts, strands, site)), ("none", plant(rng, 500, [], []))]
        sites = find(Matrix(site), records, stride)
        expected = [
            (0, start + len(site) // 2, strand)
            for start, strand in zip(starts.tolist(), strands, strict=True)
        ]
        assert places(sites) == expected
        assert site in sites.consensus

    def test_at_the_ends_of_contigs_and_in_short_ones(self):
        rng = np.random.default_rng(2)
        records = [
            ("ends", plant(rng, 1_000, [0, 987], ["+", "-"])),
            ("short", plant(rng, 40, [20], ["+"])),
            ("as_long", plant(rng, 60, [47], ["-"])),
            ("tiny", "ACGT"),
        ]
        found = [place[:2] for place in places(find(Matrix(SITE), records))]
        assert found == [(0, 6), (0, 993), (1, 26), (2, 53)]

    @pytest.mark.parametrize("length", [61, 77, 101])
    def test_with_windows_of_any_length(self, length):
        rng = np.random.default_rng(8)
        letters = plant(rng, 700, [111, 500], ["+", "-"])
        model, start = Matrix(SITE, length=length), np.arange(0, 700 - length + 1, 10)
        codes = encode_any_letters(letters)[0]
        maxima = Maxima(75)
        windows = np.stack([codes[at : at + length] for at in start])
        maxima.add(0, start, start + length, model.logits(windows, None)[:, 0])
        sites = find_sites(model, maxima, lambda: [("a", letters)], factor=0, stride=10)
        assert [place[1] for place in places(sites)] == [117, 506]

    def test_beside_runs_of_n(self):
        rng = np.random.default_rng(3)
        letters = plant(rng, 1_000, [300, 700], ["+", "-"])
        letters = letters[:315] + "N" * 300 + letters[615:]
        sites = find(Matrix(SITE), [("n", letters)])
        assert [place[:2] for place in places(sites)] == [(0, 306), (0, 706)]
        # windows of nothing but N are nowhere
        assert not ((sites.summit > 350) & (sites.summit < 580)).any()

    def test_no_window_with_a_letter_that_is_not_a_base(self):
        rng = np.random.default_rng(3)
        letters = plant(rng, 400, [200], ["+"])
        model, records = Matrix(SITE), [("x", letters[:230] + "-" + letters[231:])]
        sites = find(model, records)
        assert [place[:2] for place in places(sites)] == [(0, 206)]

    def test_scores_of_another_model_are_refused(self):
        rng = np.random.default_rng(3)
        records = [("x", plant(rng, 400, [200], ["+"]))]
        maxima = scan(Matrix(SITE), records, 10)
        with pytest.raises(
            TfbindError, match=r"matrix.keras: scores windows of 'x' lower than the table does"
        ):
            find_sites(Matrix("A" * 13), maxima, lambda: iter(records), factor=0, stride=10)

    def test_two_sites_that_are_close(self):
        rng = np.random.default_rng(4)
        records = [("one", plant(rng, 600, [200, 200 + 110, 450, 450 + 20], "+-+-"))]
        found = [place[1] for place in places(find(Matrix(SITE), records, stride=5))]
        assert found[:2] == [206, 316]
        # of sites that one window holds there is one
        assert len(found) == 3

    def test_all_that_is_called_was_refined_and_little_else(self):
        rng = np.random.default_rng(5)
        starts = np.arange(40) * 400 + 100
        model = Matrix(SITE)
        records = [("one", plant(rng, 16_000, starts, ["+"] * 40))]
        sites = find(model, records, fdr=0.01)
        called = sites.q <= 0.01
        assert called.sum() == 40
        assert sites.refined[called].all()
        assert sites.refined.sum() < 60 < len(sites.record)
        # near each, one in the middle, blocks that are hidden every 5 bases and every base, and those of the score
        assert sites.n_windows == sites.refined.sum() * (19 + 1 + 14 + 27 + 5)
        assert (np.diff(sites.summit) >= 45).all()

    def test_as_many_as_asked_for_are_refined(self):
        rng = np.random.default_rng(5)
        records = [("one", plant(rng, 16_000, [], []))]
        sites = find(Matrix("TACGT"), records, fdr=None, n_refined=20)
        assert 15 <= sites.refined.sum() <= 20
        assert sites.score[sites.refined].min() >= sites.score[~sites.refined].max()
        assert not find(Matrix("TACGT"), records, fdr=None).refined.any()

    def test_score_is_the_mean_of_windows_around_the_site(self):
        rng = np.random.default_rng(9)
        letters = plant(rng, 1_000, [0, 500], "++")
        model = Matrix(SITE)
        sites = find(model, [("one", letters)])
        codes = encode_any_letters(letters)[0]

        def mean(starts):
            return model.logits(np.stack([codes[at : at + LENGTH] for at in starts]), None)[:, 0].mean()

        shifted = [506 - LENGTH // 2 + shift for shift in (-6, -3, 0, 3, 6)]
        assert sites.score[sites.summit == 506] == pytest.approx([mean(shifted)])
        # at the end of a contig no window has the site in its middle: the best one counts
        assert sites.score[sites.summit == 6] == pytest.approx([mean([0])])

    def test_scores_of_the_coarse_scan_are_means_too(self):
        maxima = Maxima(45)
        start = np.arange(8) * 5
        maxima.add(0, start, start + LENGTH, np.array([0, 0, 0, 9, 0, 0, np.nan, 2.0]))
        _, at, _, mean, window = maxima.joined()
        # of 60 bases a tenth is one window on either side
        assert (at.tolist(), mean.tolist(), window.tolist()) == ([15], [3.0], [9.0])

    def test_expected_number_is_what_the_probabilities_add_up_to(self):
        rng = np.random.default_rng(6)
        records = [("one", plant(rng, 2_000, [500, 1500], "++"))]
        sites = find(Matrix(SITE, base=20.0, penalty=30.0), records)
        assert sites.expected == pytest.approx(2, abs=1e-3)

    def test_of_nothing_there_is_nothing(self):
        sites = find(Matrix(SITE), [("n", "N" * 500)])
        assert (len(sites.record), sites.expected, sites.consensus) == (0, 0, "")


class TestQValues:
    def test_are_the_mean_of_what_is_false_among_the_more_probable(self):
        assert q_values(np.array([0.5, 1.0, 0.9])).tolist() == pytest.approx([0.2, 0.0, 0.05])

    def test_equal_probabilities_have_equal_ones(self):
        assert q_values(np.array([0.8, 0.6, 0.8, 0.6])).tolist() == pytest.approx([0.2, 0.3, 0.2, 0.3])
        assert q_values(np.empty(0)).shape == (0,)


def test_log_odds_of_rounded_probabilities_are_finite():
    found = log_odds(np.array([0.5, 0.0, 1.0, np.nan]))
    assert found[0] == 0
    assert -20 < found[1] < -10
    assert 10 < found[2] < 20
    assert np.isnan(found[3])
