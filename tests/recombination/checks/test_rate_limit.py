import numpy as np
import pytest

from tfbind.recombination.checks.rate_limit import find_rates_at_limit, highest_rate
from tfbind.recombination.mapping.card import settings_of
from tfbind.recombination.mapping.rate_model import load_rate_model
from tfbind.steps import StepFunction


def setting(ratio, **others):
    return {"prior": {"rate_ratio": ratio}, **others}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([setting([0.03, 10])], 10),
        ([setting([0.03, 10]), setting([1, 40])], 40),
        ([setting(3)], 3),
        ([setting([0.03, 10]), setting([0.03, 10], rate_map_given=True)], np.inf),
        ([setting("a")], np.inf),
        ([{"prior": "a"}], np.inf),
        ([{}], np.inf),
        ([], np.inf),
    ],
)
def test_the_highest_mean_rate_in_training(settings, expected):
    assert highest_rate(settings) == expected


def test_that_of_the_shipped_network():
    assert highest_rate(settings_of(load_rate_model().card.training)) == 10


def test_a_region_counts_and_not_a_peak():
    # a peak of 50 on a tenth of the second block, and a third block at 9
    rate = StepFunction(np.array([0, 1000, 1100, 2000, 3000]), np.array([1.0, 50.0, 1.0, 9.0]))
    edges = np.array([0, 1000, 2000, 3000])
    found = find_rates_at_limit(rate, edges, 10)
    # the mean from 500 bp on is 6.16
    assert found.is_noted.tolist() == [False, False, False]
    assert find_rates_at_limit(rate, edges, 7.6).is_noted.tolist() == [False, False, True]
    assert not find_rates_at_limit(rate, edges, np.inf).is_noted.any()
