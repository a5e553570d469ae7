import numpy as np
import pytest

from tfbind.inference.convolution import MOST_TRACKS, prepare, word_convolution
from tfbind.inference.graph import strand_layers
from tfbind.networks.outlines import binding_outline
from tfbind.training.stored_network import read_network

LENGTH = 30


def one_hot(codes):
    return np.eye(5, 4, dtype=np.uint8)[codes]


def by_hand(codes, tracks, kernel, bias, pool):
    """One strand: (bases,) codes and (bases, tasks) tracks, to the highest of each few steps."""
    left, right = (len(kernel) - 1) // 2, len(kernel) // 2
    sequence = np.pad(np.hstack([one_hot(codes), tracks]), ((left, right), (0, 0)))
    steps = -(-LENGTH // pool)
    h = np.zeros((steps * pool, len(bias)))
    for at in range(len(codes)):
        h[at] = np.maximum(np.einsum("tc,tcf->f", sequence[at : at + len(kernel)], kernel) + bias, 0)
    return h.reshape(steps, pool, -1).max(axis=1)


def other_strand(codes):
    return np.where(codes < 4, 3 - codes, 4)[::-1]


@pytest.mark.parametrize(
    ("width", "n_tasks", "pool"),
    [(1, 0, 1), (4, 1, 3), (9, 2, 4), (19, 1, 4), (20, 1, 30), (24, 0, 13), (31, 3, 7)],
)
def test_is_the_convolution_of_both_strands(width, n_tasks, pool):
    rng = np.random.default_rng(width)
    kernel, bias = rng.normal(size=(width, 4 + n_tasks, 5)), rng.normal(size=5)
    codes = rng.integers(0, 5, (6, LENGTH))
    valid_length = np.array([LENGTH, 0, 1, 17, LENGTH, 29], np.int32)
    tracks = rng.normal(size=(6, LENGTH, n_tasks)).astype(np.float32)
    convolution = prepare(kernel, bias, pool)
    # memory that something else was in
    pooled = np.full((2, 8, *convolution.pooled_shape(LENGTH)), 7, np.float32)
    convolution(one_hot(codes), valid_length, tracks if n_tasks else None, pooled)
    for row, n in enumerate(valid_length):
        here, beside = codes[row, :n], tracks[row, :n]
        np.testing.assert_allclose(pooled[0, row], by_hand(here, beside, kernel, bias, pool), atol=1e-5)
        there = by_hand(other_strand(here), beside[::-1], kernel, bias, pool)
        np.testing.assert_allclose(pooled[1, row], there, atol=1e-5)
    assert (pooled[:, 6:] == 7).all()


class TestWindowsThatOverlap:
    rng = np.random.default_rng(2)
    kernel, bias = rng.normal(size=(7, 6, 6)), rng.normal(size=6)

    @pytest.mark.parametrize("stride", [0, 1, 4, 11, 25])
    def test_give_what_each_gives_alone_to_the_last_bit(self, stride):
        record = self.rng.integers(0, 5, 12 * stride + LENGTH)
        record[5:40] = 0
        codes = np.stack([record[i * stride :][:LENGTH] for i in range(12)])
        track = self.rng.normal(size=len(record)).astype(np.float32)
        tracks = np.stack([track[i * stride :][:LENGTH] for i in range(12)])[:, :, None]
        # near the ends, and once in the middle, a window's track is its own
        tracks[:, :3] += 1
        tracks[6, 14] += 1
        valid_length = np.full(12, LENGTH, np.int32)
        valid_length[4] = 21
        self.check(codes, valid_length, tracks)

    @pytest.mark.parametrize("n_tasks", [0, 1, 2])
    @pytest.mark.parametrize("places", [(0,), (29,), (14,), (3, 20), (12, 13, 14, 15), ()])
    def test_so_do_those_that_differ_in_some_bases(self, places, n_tasks):
        codes = np.repeat(self.rng.integers(0, 4, (1, LENGTH)), 12, axis=0)
        tracks = np.repeat(self.rng.normal(size=(1, LENGTH, n_tasks)), 12, axis=0).astype(np.float32)
        for at in places:
            codes[1::2, at] = self.rng.integers(0, 5, 6)
            tracks[1::2, max(at - 2, 0) : at + 3] += 1
        # one whose tracks alone differ, also where its bases are the same
        tracks[6, 8] += 1
        valid_length = np.full(12, LENGTH, np.int32)
        valid_length[4] = 21
        self.check(codes, valid_length, tracks)

    def check(self, codes, valid_length, tracks):
        convolution = prepare(self.kernel[:, : 4 + tracks.shape[2]], self.bias, 4)
        together = np.empty((2, 12, *convolution.pooled_shape(LENGTH)), np.float32)
        convolution(one_hot(codes), valid_length, tracks, together)
        for row in range(12):
            some = slice(row, row + 1)
            alone = np.empty((2, 1, *together.shape[2:]), np.float32)
            convolution(one_hot(codes[some]), valid_length[some], tracks[some], alone)
            assert (alone[:, 0] == together[:, row]).all()


@pytest.mark.parametrize(
    ("architecture", "values", "pool"),
    [
        ("gkm-bilstm", {"filters": 6}, 4),
        ("conv-bigru", {"filters": 6, "pool": 1}, 1),
        ("deepbind", {}, 53),
        ("danq", {"units": 4, "filters": 6}, 13),
        ("conv-bilstm", {"filters": 6, "k": 2, "stride": 1}, None),
        ("gkm-bilstm", {"filters": 6, "n_tasks": MOST_TRACKS + 1}, None),
        ("bilstm", {}, None),
        ("gkm-linear", {}, None),
    ],
)
def test_which_networks_begin_with_one(save_network, architecture, values, pool):
    path, card, _ = save_network(architecture, **values)
    network = read_network(path, binding_outline(card.network))
    found = word_convolution(strand_layers(network.config, network.weights), card.encoding.length)
    assert (found and found.pool) == pool
