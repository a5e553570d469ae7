import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.maps.track import Pieces, matching_contigs, window_means

PIECES = Pieces(
    np.array([100, 200, 300, 500]), np.array([200, 300, 400, 600]), np.array([1.0, 3.0, np.nan, 5.0])
)


class TestWindowMeans:
    @pytest.mark.parametrize(
        ("start", "end", "mean"),
        [
            (100, 200, 1.0),
            (100, 300, 2.0),
            (150, 250, 2.0),
            (175, 275, 2.5),
            (200, 300, 3.0),
            (510, 520, 5.0),
        ],
    )
    def test_are_weighted_by_length(self, start, end, mean):
        assert window_means(PIECES, [start], [end]).tolist() == [mean]

    @pytest.mark.parametrize(
        ("start", "end", "mean"),
        [
            (210, 310, 3.0),  # 90 of 100 bases
            (211, 311, np.nan),
            (90, 190, 1.0),
            (89, 189, np.nan),
            (400, 500, np.nan),
            (0, 50, np.nan),
            (700, 800, np.nan),
        ],
    )
    def test_need_nine_tenths_of_the_window(self, start, end, mean):
        np.testing.assert_array_equal(window_means(PIECES, [start], [end]), [mean])

    def test_agree_with_a_sum_over_bases(self):
        rng = np.random.default_rng(0)
        edges = np.cumsum(rng.integers(1, 30, 201))
        rate = np.where(rng.random(200) < 0.05, np.nan, rng.lognormal(size=200))
        bases = np.full(edges[-1] + 100, np.nan)
        for start, end, value in zip(edges[:-1], edges[1:], rate, strict=True):
            bases[start:end] = value
        starts = rng.integers(0, edges[-1], 300)
        ends = starts + rng.integers(1, 90, 300)
        expected = []
        for start, end in zip(starts, ends, strict=True):
            known = bases[start:end][~np.isnan(bases[start:end])]
            expected.append(known.mean() if len(known) >= 0.9 * (end - start) else np.nan)
        assert 20 < np.isnan(expected).sum() < 280
        np.testing.assert_allclose(
            window_means(Pieces(edges[:-1], edges[1:], rate), starts, ends), expected, rtol=1e-9
        )


class TestMatchingContigs:
    @pytest.mark.parametrize(
        ("names", "others", "expected"),
        [
            (["1", "2"], ["1", "2", "3"], {"1": "1", "2": "2"}),
            (["chr1", "2", "X"], ["1", "chr2"], {"chr1": "1", "2": "chr2"}),
            (["chr1"], ["1", "chr1"], {"chr1": "chr1"}),
            (["20", "20"], [""], {"20": ""}),
        ],
    )
    def test_by_name_or_but_for_chr(self, names, others, expected):
        assert matching_contigs(names, dict.fromkeys(others)) == expected

    @pytest.mark.parametrize(("names", "others"), [(["1"], ["2"]), (["1", "2"], [""])])
    def test_none_in_common(self, names, others):
        with pytest.raises(TfbindError, match=rf"no contig in common: found '1'.* and '{others[0]}'"):
            matching_contigs(names, dict.fromkeys(others))
