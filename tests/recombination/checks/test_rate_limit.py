import numpy as np
import pytest

from tfbind.recombination.checks.rate_limit import find_rates_at_limit, highest_rate
from tfbind.recombination.mapping.rate_model import load_rate_model
from tfbind.steps import StepFunction


def setting(ratio, **others):
    return {"prior": {"rate_ratio": ratio}, **others}


def of_map():
    return setting([0.03, 10], rate_map_given=True)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([setting([0.03, 10])], 10),
        ([setting([0.03, 10]), setting([1, 40])], 40),
        ([setting(3)], 3),
        ([setting([0.03, 10]), of_map()], np.inf),
        ([setting("a")], np.inf),
        ([{"prior": "a"}], np.inf),
        ([{}], np.inf),
        ([], np.inf),
    ],
)
def test_the_highest_mean_rate_in_training(settings, expected):
    assert highest_rate({"settings": settings}) == expected


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({"settings": [of_map()], "highest_rate": 3.5}, 3.5),
        # the prior reaches further than the regions that happened to be drawn
        ({"settings": [setting([0.03, 10]), of_map()], "highest_rate": 9.9}, 10),
        ({"settings": [setting([0.03, 2]), of_map()], "highest_rate": 3.5}, 3.5),
        ({"settings": [setting(2)], "start": {"training": {"settings": [setting(3)]}}}, 3),
        ({"settings": [setting(2)], "start": {"training": {}}}, 2),
        ({"settings": [setting(2)], "start": None}, 2),
        # of the regions that training started from, the map's rates are not known
        (
            {"settings": [of_map()], "highest_rate": 3.5, "start": {"training": {"settings": [of_map()]}}},
            np.inf,
        ),
        (
            {
                "settings": [setting(2)],
                "highest_rate": 1.9,
                "start": {"training": {"settings": [of_map()], "highest_rate": 3.5}},
            },
            3.5,
        ),
    ],
)
def test_rates_of_a_map_that_was_given(training, expected):
    assert highest_rate(training) == expected


def test_that_of_the_shipped_network():
    assert highest_rate(load_rate_model().card.training) == 10


def test_a_region_counts_and_not_a_peak():
    # a peak of 50 on a tenth of the second block, and a third block at 9
    rate = StepFunction(np.array([0, 1000, 1100, 2000, 3000]), np.array([1.0, 50.0, 1.0, 9.0]))
    edges = np.array([0, 1000, 2000, 3000])
    found = find_rates_at_limit(rate, edges, 10)
    # the mean from 500 bp on is 6.16
    assert found.is_noted.tolist() == [False, False, False]
    assert find_rates_at_limit(rate, edges, 7.6).is_noted.tolist() == [False, False, True]
    assert not find_rates_at_limit(rate, edges, np.inf).is_noted.any()
