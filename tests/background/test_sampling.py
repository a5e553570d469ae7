import numpy as np
import pytest

from tfbind.background.model import BackgroundModel
from tfbind.background.sampling import draw, write_samples
from tfbind.dna.fasta import read_fasta


@pytest.fixture(scope="module")
def model(fitted):
    return BackgroundModel(fitted[0], threads=1)


def frequencies(codes):
    counts = np.bincount((codes[:, :-1].astype(int) * 4 + codes[:, 1:]).ravel(), minlength=16)
    return counts.reshape(4, 4) / counts.sum()


def test_samples_have_the_chains_dinucleotides(model, pairs):
    codes = draw(model, np.arange(300), 100, seed=0)
    assert np.abs(frequencies(codes) - pairs).max() < 0.015
    # from the first base on
    assert np.abs(frequencies(draw(model, np.arange(4000), 3, seed=1)) - pairs).max() < 0.03


def test_a_low_temperature_takes_the_likeliest_base_and_a_high_one_any(model, pairs):
    cold = draw(model, np.arange(50), 60, seed=0, temperature=0.01)
    # A is followed by A, C by G, G by C and T by T
    assert frequencies(cold)[[0, 1, 2, 3], [0, 2, 1, 3]].sum() > 0.99
    hot = draw(model, np.arange(300), 100, seed=0, temperature=100)
    assert np.abs(frequencies(hot) - 1 / 16).max() < 0.01


class TestReproducible:
    def test_by_seed(self, model):
        one, two, other = (draw(model, np.arange(9), 40, seed=seed) for seed in (3, 3, 4))
        assert (one == two).all()
        assert (one != other).mean() > 0.3

    def test_whatever_the_number_and_the_length(self, model):
        many = draw(model, np.arange(700), 40, seed=3)
        assert (draw(model, np.array([600, 2]), 25, seed=3) == many[[600, 2], :25]).all()

    def test_each_sequence_is_another_one(self, model):
        assert len(np.unique(draw(model, np.arange(700), 40, seed=3), axis=0)) == 700


def test_fasta(fitted, tmp_path):
    for name in ("one.fa", "two.fa"):
        write_samples(fitted[0], tmp_path / name, n=600, length=33, temperature=1, seed=2, threads=1)
    records = dict(read_fasta(tmp_path / "one.fa"))
    assert list(records) == [f"background_{number}" for number in range(1, 601)]
    assert {len(sequence) for sequence in records.values()} == {33}
    assert set("".join(records.values())) == set("ACGT")
    assert (tmp_path / "one.fa").read_bytes() == (tmp_path / "two.fa").read_bytes()
