import h5py
import numpy as np
import pytest

from tfbind.dna.encoding import DnaEncoding
from tfbind.errors import TfbindError
from tfbind.tensor_stretches import Stretches
from tfbind.tensors import open_tensors, write_tensors

STRETCHES = Stretches(
    np.array(["I", "II"], dtype=object),
    np.array([0, 40]),
    np.array([5, 3]),
    np.array([0, 1, 2, 3, 4, 3, 2, 1], np.uint8),
    np.array([1, 4, 6]),
    2.5,
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "t.h5"
    with write_tensors(path, DnaEncoding(encoding="onehot", length=4), tasks=["x"], source=[]) as writer:
        writer.append(
            codes=np.zeros((2, 4), np.uint8),
            valid_length=np.full(2, 4, np.int32),
            y=np.array([[0], [1]], np.float32),
            split=np.zeros(2, np.uint8),
            id=["a", "b"],
            group=["I", "I"],
            parent=["", ""],
            flanks=np.full((2, 2, 3), 3, np.uint8),
        )
        writer.add_stretches(STRETCHES)
    return path


def test_round_trip(path):
    with open_tensors(path) as tensors:
        found = tensors.stretches()
        assert tensors.flanks(np.array([1])).tolist() == [[[3, 3, 3], [3, 3, 3]]]
    for before, after in zip(STRETCHES, found, strict=True):
        assert np.array_equal(before, after)
    assert list(found()) == [("I:0-5", "ACGTN"), ("II:40-43", "TGC")]
    assert [peaks.tolist() for peaks in found.peaks_by_stretch()] == [[1, 4], [1]]


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("scan_size", [5, 4], "stretches whose sizes do not add up to scan_bases"),
        ("scan_size", [8, 0], "stretches whose sizes do not add up"),
        ("scan_size", [2**62, 8 - 2**62], "stretches whose sizes do not add up"),
        ("scan_start", [-1, 3], "stretches whose sizes do not add up"),
        ("scan_bases", [0, 1, 2, 3, 5, 3, 2, 1], "scan_bases with the value 5"),
        ("scan_peaks", [4, 1, 6], "scan_peaks outside scan_bases or not ascending"),
        ("scan_peaks", [1, 4, 8], "scan_peaks outside scan_bases"),
        ("scan_peaks_per_mb", [np.nan], "scan_peaks_per_mb nan"),
        ("scan_peaks_per_mb", [0.0], "scan_peaks_per_mb 0.0"),
        ("flanks", np.full((2, 2, 3), 5), "flanks with the value 5"),
    ],
)
def test_damage(path, name, values, message):
    with h5py.File(path, "a") as file:
        file[name][...] = values
    with open_tensors(path) as tensors, pytest.raises(TfbindError, match=rf"t\.h5: found {message}"):
        tensors.stretches() and tensors.flanks(np.arange(2))


@pytest.mark.parametrize("name", ["scan_contig", "scan_peaks", "scan_peaks_per_mb"])
def test_a_set_is_missing(path, name):
    with h5py.File(path, "a") as file:
        del file[name]
    with open_tensors(path) as tensors, pytest.raises(TfbindError, match=f"no data set '{name}'"):
        tensors.stretches()
