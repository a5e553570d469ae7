import numpy as np
import pytest

from tfbind.background.data import BackgroundData, shifted
from tfbind.background.stretches import Stretches


@pytest.fixture
def data():
    """Three stretches; no base of training occurs twice as a 12-mer on either strand."""
    codes = np.random.default_rng(1).integers(0, 4, 1000).astype(np.uint8)
    training = Stretches(codes[:900], np.array([0, 500, 530, 900]))
    return BackgroundData(
        training, Stretches(codes[900:], np.array([0, 100])), window=50, epoch_bases=10**6, skip=5, seed=3
    )


def texts(data, epoch, size=7):
    for batch in data.batches(epoch, size):
        for row, n in zip(batch.y, batch.inputs[1], strict=True):
            assert (row[n:] == 4).all()
            yield "".join("ACGT"[code] for code in row[:n])


def reverse(text):
    return text[::-1].translate(str.maketrans("ACGT", "TGCA"))


def test_the_base_before_is_what_is_read(data):
    batch = next(data.batches(0, 7))
    x, n = batch.inputs
    assert x.shape == (7, 50, 4)
    assert not x[:, 0].any()
    for row in range(7):
        assert (x[row, 1 : n[row]].argmax(axis=1) == batch.y[row, : n[row] - 1]).all()


def test_windows_lie_inside_stretches_on_either_strand(data):
    whole = ["".join("ACGT"[code] for code in stretch) for stretch in data.training]
    shown = list(texts(data, 0))
    assert len(shown) == data.n_train == 10 + 1 + 8
    forward = [any(text in stretch for stretch in whole) for text in shown]
    backward = [any(reverse(text) in stretch for stretch in whole) for text in shown]
    assert all(np.array(forward) | np.array(backward))
    assert any(forward)
    assert any(backward)


def test_an_epoch_is_always_the_same_and_differs_from_others(data):
    assert list(texts(data, 1)) == list(texts(data, 1, size=3)) != list(texts(data, 2))


def test_over_some_epochs_every_base_is_shown(data):
    shown = {
        text[i : i + 12] for epoch in range(8) for text in texts(data, epoch) for i in range(len(text) - 11)
    }
    shown |= {reverse(word) for word in shown}
    for stretch in data.training:
        whole = "".join("ACGT"[code] for code in stretch)
        assert all(whole[i : i + 12] in shown for i in range(len(whole) - 11))


def test_an_epoch_is_no_longer_than_asked_for(data):
    short = BackgroundData(data.training, data.held_out, window=50, epoch_bases=260, skip=5, seed=3)
    assert short.n_train == len(list(texts(short, 0))) == 5


def test_validation_leaves_the_first_bases_out(data):
    (batch,) = data.validation(64)
    assert batch.y.shape == (2, 100)
    assert (batch.y[:, :5] == 4).all()
    assert (batch.y[:, 5:] < 4).all()


def test_shifted():
    found = shifted(np.array([[2, 0, 4, 1]], np.uint8))
    assert found.tolist() == [[[0] * 4, [0, 0, 1, 0], [1, 0, 0, 0], [0] * 4]]
