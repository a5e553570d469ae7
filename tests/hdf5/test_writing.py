import errno
import os
import signal
import subprocess
import sys

import h5py
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.hdf5.writing import write_hdf5

# a child, as without this module HDF5 crashes the process
FILL = """
import resource, sys
from pathlib import Path
import h5py
import numpy as np
from tfbind.hdf5.writing import write_hdf5

path = Path(sys.argv[1])
noise = np.random.default_rng(0).integers(0, 256, (100, 1000)).astype(np.uint8)

def write():
    with write_hdf5(path) as output:
        with output.step():
            output.file.attrs["some"] = "text" * 1000
            x = output.file.create_dataset(
                "x", (0, 1000), "u1", maxshape=(None, 1000), chunks=(7, 1000), compression="gzip"
            )
            names = output.file.create_dataset("id", (0,), h5py.string_dtype(), maxshape=(None,))
        for start in range(0, 100, 10):
            with output.step():
                x.resize(start + 10, 0)
                x[start:] = noise[start : start + 10]
                names.resize(start + 10, 0)
                names[start:] = [f"record {i}" * 20 for i in range(start, start + 10)]

write()
size = path.stat().st_size
path.unlink()
for limit in [*range(0, 4000, 500), *range(4000, size, 3001), size - 1]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write()
    except OSError as error:
        assert (error.filename, error.strerror) == (str(path), "File too large"), error
    else:
        raise AssertionError(limit)
    assert not list(path.parent.iterdir()), limit
resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
write()
print(size)
"""


def write_some(path, n=10):
    with write_hdf5(path) as output, output.step():
        output.file["x"] = np.arange(n)


def test_what_is_written_comes_back(tmp_path):
    write_some(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["x"][:].tolist() == list(range(10))
    assert [path.name for path in tmp_path.iterdir()] == ["a.h5"]


def test_the_same_bytes_each_time(tmp_path):
    write_some(tmp_path / "a.h5")
    write_some(tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_disk_that_is_full_at_any_moment_is_one_error(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path / "a.h5")], capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["x"].shape == (100, 1000)
        assert file["id"].asstr()[99] == "record 99" * 20


@pytest.mark.parametrize(
    ("number", "kind", "message"),
    [
        (errno.ENOSPC, OSError, r"No space left on device: '.*a\.h5'"),
        (errno.EIO, TfbindError, r"a\.h5: cannot be written \(Input/output error\)"),
    ],
)
def test_errors_name_the_file(tmp_path, monkeypatch, number, kind, message):
    def fail(*_):
        raise OSError(number, os.strerror(number))

    def attempt():
        with write_hdf5(tmp_path / "a.h5") as output:
            monkeypatch.setattr(os, "pwrite", fail)
            with output.step():
                output.file["x"] = np.arange(10**6)
            raise AssertionError("not reached")

    with pytest.raises(kind, match=message):
        attempt()
    assert list(tmp_path.iterdir()) == []


class Stopped(Exception):
    pass


@pytest.fixture
def stop_on_sigterm():
    def stop(*_):
        raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    yield
    assert signal.signal(signal.SIGTERM, before) is stop


@pytest.mark.usefixtures("stop_on_sigterm")
class TestSignals:
    def test_wait_until_the_end_of_a_step(self, tmp_path):
        reached = []

        def write():
            with write_hdf5(tmp_path / "a.h5") as output:
                with output.step():
                    signal.raise_signal(signal.SIGTERM)
                    output.file["x"] = np.arange(10)
                    reached.append("the end of the step")
                reached.append("the next step")

        with pytest.raises(Stopped):
            write()
        assert reached == ["the end of the step"]
        assert list(tmp_path.iterdir()) == []

    def test_wait_while_the_file_is_closed(self, tmp_path, monkeypatch):
        closed = []

        def close(file, close=h5py.File.close):
            signal.raise_signal(signal.SIGTERM)
            close(file)
            closed.append(not file)

        monkeypatch.setattr(h5py.File, "close", close)
        with pytest.raises(Stopped):
            write_some(tmp_path / "a.h5")
        assert closed == [True]
        assert list(tmp_path.iterdir()) == []

    def test_come_at_once_outside_of_a_step(self, tmp_path):
        reached = []

        def write():
            with write_hdf5(tmp_path / "a.h5"):
                signal.raise_signal(signal.SIGTERM)
                reached.append("too late")

        with pytest.raises(Stopped):
            write()
        assert not reached
