import numpy as np
import pytest

from tfbind.genotypes.features import REGION_FEATURES
from tfbind.recombination.mapping.rate_model import Seen

LOG_N = REGION_FEATURES.index("region_log_n")
SINGLETONS = REGION_FEATURES.index("region_singletons")


@pytest.fixture(scope="module")
def values():
    """Regions whose singletons go with the number of haplotypes, and whose other features are noise."""
    rng = np.random.default_rng(0)
    found = rng.normal(0, 0.1, (2000, len(REGION_FEATURES)))
    found[:, LOG_N] = rng.uniform(np.log(4), np.log(400), len(found))
    found[:, SINGLETONS] = found[:, LOG_N] / 10 + rng.normal(0, 0.01, len(found))
    return found


class TestHowFarDataLieOutside:
    def test_nearly_all_that_was_seen_lies_inside(self, values):
        seen = Seen.from_values(values)
        assert np.mean([seen.distance(value)[0] <= 1 for value in values]) > 0.998

    @pytest.mark.parametrize(("n", "outside"), [(404, False), (1000, True), (100_000, True)])
    def test_far_more_samples_are_outside_though_everything_else_fits(self, values, n, outside):
        usual = values.mean(axis=0)
        usual[LOG_N], usual[SINGLETONS] = np.log(n), np.log(n) / 10
        distance, named = Seen.from_values(values).distance(usual)
        assert (distance > 1) == outside
        assert not outside or named[0] == "log_n"

    def test_what_does_not_go_together_is_outside_though_each_is_in_its_range(self, values):
        odd = values.mean(axis=0)
        odd[LOG_N], odd[SINGLETONS] = np.log(5), np.log(390) / 10
        assert ((values.min(axis=0) <= odd) & (odd <= values.max(axis=0))).all()
        assert Seen.from_values(values).distance(odd)[0] > 1

    def test_a_feature_that_never_differed(self, values):
        always = values.copy()
        always[:, LOG_N] = np.log(20)
        seen = Seen.from_values(always)
        usual = always.mean(axis=0)
        assert seen.distance(usual)[0] < 1
        usual[LOG_N] = np.log(22)
        assert seen.distance(usual)[0] > 1
