"""Mutants of tensors files: each is read, or refused in one line that names the file.

By hand, with other seeds: ``python tests/fuzz/hdf5_mutants.py onehot 1000 20000 FOLDER``.
The kinds are ``onehot``, ``kmer`` and ``genotypes``. The last line before a failure or a crash names the seed.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors

MUTANTS = Path(__file__).parent / "hdf5_mutants.py"
BAD = Path(__file__).parents[1] / "data" / "bad" / "hdf5"
ROWS = [
    [cell.strip(" `") for cell in line.strip("|\n").split("|")]
    for line in (BAD / "README.md").read_text().splitlines()
    if line.startswith("| `")
]


@pytest.mark.parametrize(("kind", "n"), [("onehot", 150), ("kmer", 100), ("genotypes", 60)])
def test_mutants(tmp_path, kind, n):
    # a process of its own, as HDF5 may crash it or never come back
    done = subprocess.run(
        [sys.executable, str(MUTANTS), kind, "0", str(n), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    *_, last = done.stdout.splitlines()
    assert done.returncode == 0, f"{last}\n{done.stderr[-2000:]}"
    assert int(last.split()[0]) > n / 2


def test_every_kept_input_has_its_row():
    assert {row[0] for row in ROWS} == {path.name for path in BAD.glob("*.h5")}


@pytest.mark.parametrize(("name", "message"), [(row[0], row[2]) for row in ROWS])
def test_kept_inputs_are_refused(name, message):
    with pytest.raises(TfbindError) as caught, open_tensors(BAD / name) as tensors:
        tensors.codes(np.arange(len(tensors)))
    assert str(caught.value) == f"{BAD / name}: {message}"
