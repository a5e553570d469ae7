"""TF-MoDISco-lite in a process of its own: ``python -m tfbind.binding.interpretation.modisco FOLDER``.

It forks processes that compile and cluster, which is safe only while no other thread runs; engines have threads.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfbind.errors import require

MOST_SEQLETS = 5000
# Its defaults are for 400 bases and more around counts. With 101 bases a seqlet of 41 with 10 beside it is rarely
# inside, and so is a pattern of 30 with 10 on either side: both are narrower here, and sequences are padded.
PAD = 12
SETTINGS: dict[str, Any] = {
    "sliding_window_size": 15,
    "flank_size": 5,
    "target_seqlet_fdr": 0.2,
    "min_passing_windows_frac": 0.01,
    "max_passing_windows_frac": 0.2,
    "trim_to_window_size": 20,
    "initial_flank_to_add": 5,
    "min_metacluster_size": 20,
    "final_min_cluster_size": 20,
    "min_num_to_trim_to": 10,
    "n_leiden_runs": 4,
    "max_seqlets_per_metacluster": MOST_SEQLETS,
}
_ARRAYS = ("one_hot", "scores")


class Pattern(NamedTuple):
    """Seqlets that look alike.

    sign : int
        1 or -1: whether they speak for or against binding.
    sequence, start, end : (m,) int64
        Number of the sequence, and place in it; all of one width, and possibly beyond the ends.
    is_reverse : (m,) bool
    """

    sign: int
    sequence: np.ndarray
    start: np.ndarray
    end: np.ndarray
    is_reverse: np.ndarray


def find_patterns(one_hot: np.ndarray, scores: np.ndarray, threads: int | None = None) -> list[Pattern]:
    """Find patterns in contributions (Shrikumar et al. 2018, arXiv:1811.00416), those with most seqlets first.

    Parameters
    ----------
    one_hot : (n, length, 4) float32
    scores : (n, length, 4) float32
        Hypothetical contributions.
    threads : int or None

    Raises
    ------
    MissingDependencyError
        If modisco-lite is not installed.
    """
    require("modiscolite", "interpret", "finding motifs")
    if not np.abs(scores * one_hot).any():
        return []
    with tempfile.TemporaryDirectory() as folder:
        for name, values in zip(_ARRAYS, (one_hot, scores), strict=True):
            np.save(Path(folder) / f"{name}.npy", np.pad(values, ((0, 0), (PAD, PAD), (0, 0))))
        (Path(folder) / "settings.json").write_text(json.dumps({"threads": threads, "settings": SETTINGS}))
        done = subprocess.run(
            [sys.executable, "-m", __name__, folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"modisco-lite failed: {done.stderr.strip()[-2000:]}")
        found = json.loads((Path(folder) / "patterns.json").read_text())
    patterns = [
        Pattern(sign, *(np.array(column) for column in zip(*seqlets, strict=True))) for sign, seqlets in found
    ]
    return [
        pattern._replace(start=pattern.start - PAD, end=pattern.end - PAD, is_reverse=pattern.is_reverse == 1)
        for pattern in patterns
    ]


def main(folder: Path) -> None:
    """Find the patterns in the arrays in ``folder``, and write where their seqlets are."""
    import numba

    told = json.loads((folder / "settings.json").read_text())
    if told["threads"] is not None:
        numba.set_num_threads(min(told["threads"], numba.get_num_threads()))
    tfmodisco = require("modiscolite.tfmodisco", "interpret", "finding motifs")
    one_hot, scores = (np.load(folder / f"{name}.npy") for name in _ARRAYS)
    found = []
    try:
        by_sign = tfmodisco.TFMoDISco(one_hot=one_hot, hypothetical_contribs=scores, **told["settings"])
    # what it raises on contributions without anything that stands out: no window passes, or no seqlet is left
    except (IndexError, ValueError, ZeroDivisionError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        by_sign = (None, None)
    for sign, patterns in zip((1, -1), by_sign, strict=True):
        for pattern in patterns or []:
            seqlets = [
                (int(one.example_idx), int(one.start), int(one.end), int(one.is_revcomp))
                for one in pattern.seqlets
            ]
            found.append((sign, seqlets))
    found.sort(key=lambda each: (-each[0], -len(each[1])))
    (folder / "patterns.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
