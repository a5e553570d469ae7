import numpy as np
import pytest

from tfbind.training.device import prepare, seeded

prepare(threads=1)

from tfbind.networks.relernn import relernn_network  # noqa: E402


@pytest.fixture(scope="module")
def network():
    with seeded(1):
        return relernn_network(columns=4, sites=9, units=5)


@pytest.fixture
def inputs():
    rng = np.random.default_rng(0)
    valid_length = np.array([3, 9, 0], np.int32)
    valid = np.arange(9) < valid_length[:, None]
    alleles = rng.choice([-1, 1], (3, 9, 4)) * valid[:, :, None]
    return [alleles.astype(np.float32), (rng.random((3, 9)) * valid).astype(np.float32), valid_length]


def test_one_rate_a_window(network, inputs):
    assert network(inputs).shape == (3, 1)


def test_as_published(inputs):
    """Adrion 2020: 84 units either way, 256 beside 256, 64, 1."""
    published = relernn_network(columns=20, sites=100)
    gru = 2 * 3 * 84 * (20 + 84 + 2)
    assert published.count_params() == gru + (168 + 1) * 256 + (100 + 1) * 256 + (512 + 1) * 64 + 65


def test_padding_has_no_influence_on_what_is_read(network, inputs):
    alleles, places, valid_length = inputs
    before = network(inputs).numpy()
    changed = alleles.copy()
    changed[0, 3:] = 7
    assert network([changed, places, valid_length]).numpy() == pytest.approx(before, abs=1e-6)
    shorter = network([alleles[:1, :3], places[:1], valid_length[:1]]).numpy()
    assert shorter == pytest.approx(before[:1], abs=1e-6)


def test_both_ends_and_the_places_count(network, inputs):
    before = network(inputs).numpy()
    for change in ((0, 1, 0), (0, 1, 8)):
        changed = [each.copy() for each in inputs]
        changed[change[0]][change[1], change[2]] *= -1
        assert network(changed).numpy()[1] != pytest.approx(before[1], abs=1e-5)
    changed = [inputs[0], inputs[1] / 2, inputs[2]]
    assert network(changed).numpy()[1] != pytest.approx(before[1], abs=1e-5)
