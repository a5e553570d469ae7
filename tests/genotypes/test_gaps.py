import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.gaps import LONGEST, accessible_stretches, find_gaps
from tfbind.genotypes.mask import Accessible
from tfbind.genotypes.simulation import Setting, simulate_region


def genotypes(positions, start=0, end=None):
    positions = np.asarray(positions)
    return Genotypes(
        "1", positions, np.ones((len(positions), 4), np.int8), 1, start, end or int(positions[-1]) + 1
    )


# a site each 100 bp, so that what an exponential distribution's mean would be is 100 / ln 10
EVERY_100 = np.arange(0, 10_000, 100)
SPACING = 100 / np.log(10)
MARGIN = 44
LONG = int(LONGEST * SPACING)


def intervals(found):
    starts, ends = (found.starts, found.ends) if isinstance(found, Accessible) else found
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


class TestFound:
    def test_between_sites(self):
        sites = np.concatenate([EVERY_100, EVERY_100 + 50_000])
        assert intervals(find_gaps(genotypes(sites))) == [(9_901 + MARGIN, 50_000 - MARGIN)]
        assert intervals(accessible_stretches(genotypes(sites))) == [
            (0, 9_901 + MARGIN),
            (50_000 - MARGIN, 59_901),
        ]

    def test_up_to_a_stray_record_without_a_site_on_either_end(self):
        found = find_gaps(genotypes(EVERY_100 + 80_000, 0, 700_000))
        assert intervals(found) == [(0, 80_000 - MARGIN), (89_901 + MARGIN, 700_000)]

    def test_several(self):
        sites = np.concatenate([EVERY_100 + at for at in (0, 50_000, 200_000)])
        assert len(find_gaps(genotypes(sites))[0]) == 2

    @pytest.mark.parametrize(("further", "gaps"), [(0, 0), (2, 1)])
    def test_just_above_the_limit(self, further, gaps):
        sites = np.append(EVERY_100, 9_901 + LONG + further)
        assert len(find_gaps(genotypes(sites))[0]) == gaps

    def test_in_accessible_bases(self):
        sites = np.concatenate([EVERY_100, EVERY_100 + 50_000])
        masked = Accessible(np.array([0, 49_000]), np.array([10_500, 70_000]))
        assert not len(find_gaps(genotypes(sites), masked)[0])
        assert intervals(accessible_stretches(genotypes(sites), masked)) == [(0, 10_500), (49_000, 59_901)]

    def test_what_a_mask_leaves_of_one(self):
        sites = np.concatenate([EVERY_100, EVERY_100 + 50_000])
        masked = Accessible(np.array([0, 30_000]), np.array([20_000, 70_000]))
        assert intervals(accessible_stretches(genotypes(sites), masked)) == [
            (0, 9_901 + MARGIN),
            (50_000 - MARGIN, 59_901),
        ]


class TestNotFound:
    def test_among_a_few_sites(self):
        assert not len(find_gaps(genotypes([1, 2, 3, 1_000_000]))[0])

    def test_where_nothing_is_accessible(self):
        none = np.zeros(0, np.int64)
        assert accessible_stretches(genotypes(EVERY_100), Accessible(none, none)).n_bases == 0

    @pytest.mark.parametrize("replicate", range(8))
    def test_in_what_the_prior_simulates(self, replicate):
        found = simulate_region(Setting(length=200_000), 5, replicate).genotypes()
        assert intervals(accessible_stretches(found)) == [(0, 200_000)]


class TestLimitsByHand:
    """Nine of ten spacings are below 100 bp in an exponential distribution with a mean of 100 / ln 10 = 43.43."""

    @pytest.mark.parametrize(("empty", "gaps"), [(8_685, 0), (8_686, 1)])
    def test_a_gap_is_longer_than_200_mean_spacings(self, empty, gaps):
        # 200 x 43.43 = 8,685.9 bases without a site
        sites = np.append(EVERY_100, EVERY_100[-1] + 1 + empty)
        assert len(find_gaps(genotypes(sites))[0]) == gaps

    @pytest.mark.parametrize(("n_sites", "gaps"), [(19, 0), (20, 1)])
    def test_twenty_sites_tell_the_spacing(self, n_sites, gaps):
        found = genotypes(np.arange(n_sites) * 100, 0, 100_000)
        assert len(find_gaps(found)[0]) == gaps

    def test_the_spacing_is_that_of_the_longest_tenth(self):
        # an eighth of the spacings are 300 bp, so that the mean spacing is 300 / ln 10 = 130.3
        sites = np.cumsum(np.tile([100] * 7 + [300], 20))
        for empty, gaps in ((26_057, 0), (26_058, 1)):
            found = genotypes(np.append(sites, sites[-1] + 1 + empty))
            assert len(find_gaps(found)[0]) == gaps

    def test_sites_on_every_base_have_a_spacing_of_one(self):
        for empty, gaps in ((200, 0), (201, 1)):
            assert len(find_gaps(genotypes(np.append(np.arange(100), 100 + empty)))[0]) == gaps

    def test_a_gap_may_follow_the_first_site_and_precede_the_last_one(self):
        # odd positions; a mean spacing of 44 bp, rounded up, from either site is no part of a gap
        sites = np.concatenate([[1], EVERY_100 + 50_001, [100_001]])
        assert intervals(find_gaps(genotypes(sites))) == [
            (2 + MARGIN, 50_001 - MARGIN),
            (59_902 + MARGIN, 100_001 - MARGIN),
        ]
