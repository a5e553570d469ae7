import numpy as np
import pytest

from tfbind.networks.next_base import make_sampler, next_base_network
from tfbind.networks.spec import CELLS
from tfbind.training.device import prepare, seeded


def probabilities(network, codes):
    """(n, length, 4): of each base, given those before it, by the whole network."""
    x = np.zeros((*codes.shape, 4), np.uint8)
    x[:, 1:] = np.eye(4, dtype=np.uint8)[codes[:, :-1]]
    logits = network([x, np.full(len(codes), codes.shape[1], np.int32)]).numpy().astype(float)
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return odds / odds.sum(axis=-1, keepdims=True)


@pytest.fixture(scope="module", params=CELLS)
def network(request):
    prepare(threads=1)
    with seeded(1):
        network = next_base_network(cell=request.param, units=7, layers=2)
    # a network at its start says nearly the same everywhere; ReLU and an identity grow without bounds, if slowly
    rng, spread = np.random.default_rng(3), 0.03 if request.param == "irnn" else 0.3
    network.set_weights([weight + rng.normal(0, spread, weight.shape) for weight in network.get_weights()])
    return network


def test_sampling_step_by_step_follows_the_whole_networks_probabilities(network):
    uniform = np.random.default_rng(2).random((40, 30)).astype(np.float32)
    codes = make_sampler(network)(uniform, 1.0)
    assert codes.shape == (40, 30)
    assert codes.dtype == np.uint8
    cumulative = np.cumsum(probabilities(network, codes), axis=-1)
    expected = (cumulative[..., :3] <= uniform[..., None]).sum(axis=-1)
    # rounding may turn a base over whose number lies on the border
    border = np.abs(cumulative - uniform[..., None]).min(axis=-1) < 1e-4
    assert (codes == expected)[~border].all()
    assert border.mean() < 0.01
    assert len(np.unique(codes)) == 4


def test_what_comes_later_and_padding_change_nothing(network):
    codes = np.random.default_rng(4).integers(0, 4, (5, 30))
    changed = codes.copy()
    changed[:, 12:] = 3 - changed[:, 12:]
    before, after = probabilities(network, codes), probabilities(network, changed)
    assert before[:, :13] == pytest.approx(after[:, :13], abs=1e-6)
    assert np.abs(before[:, 13:] - after[:, 13:]).max() > 1e-4
    assert probabilities(network, codes[:, :20]) == pytest.approx(before[:, :20], abs=1e-6)
