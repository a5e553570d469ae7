"""Run targets for a time or a number of executions, in a process that is started again if it is killed."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from fuzzer.judge import Finding, Target, make_input, run_one, watched

START = 300  # seconds to import and compile
HANG = 40  # seconds without an execution: compiled code hears no alarm


class Findings(dict[tuple[str, str, str], Finding]):
    """One finding of each kind: target, type and place."""

    def add(self, finding: Finding | None) -> bool:
        """Take a finding; says whether it is of a new kind."""
        if finding is None:
            return False
        key = (finding.target, finding.what.split(":")[0][:60], finding.place)
        is_new = key not in self
        if is_new or len(finding.data) < len(self[key].data):
            self[key] = finding
        return is_new


def run_here(
    target: Target, seed: int, first: int, n: int, *, until: float = float("inf")
) -> tuple[int, Findings]:
    """Execute inputs ``first`` to ``first + n - 1``, or until a time: how many were, and what was found."""
    findings, index = Findings(), first
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_memory()) as folder, watched():
        _warm_up(target, Path(folder))
        for index in range(first, first + n):
            findings.add(run_one(target, Path(folder), seed, index))
            if time.monotonic() > until:
                break
    return index + 1 - first, findings


def run_apart(
    find: Callable[[str], Target], name: str, seed: int, first: int, n: int, *, until: float = float("inf")
) -> tuple[int, Findings]:
    """As `run_here`, in a process of its own: a signal that ends it is a finding, and the next input is next."""
    context = multiprocessing.get_context("spawn")
    findings, done = Findings(), 0
    while done < n and time.monotonic() < until:
        before = first + done - 1
        current = context.Value("q", before, lock=False)
        ours, theirs = context.Pipe()
        left = until - time.monotonic()
        child = context.Process(
            target=_child, args=(find, name, seed, first + done, n - done, left, current, theirs)
        )
        child.start()
        theirs.close()
        killed_for_hanging = _wait(child, current, ours, findings)
        reached = current.value
        if reached == before:
            raise RuntimeError(f"the process of target {name} ended with {child.exitcode} before it began")
        done = reached - first + 1
        if child.exitcode:
            what = "hangs" if killed_for_hanging else f"the process ended with {child.exitcode}"
            findings.add(Finding(name, what, name, make_input(find(name), seed, reached)[0], reached))
        elif done < n and time.monotonic() < until:
            break
    return done, findings


def _wait(child: Any, current: Any, ours: Connection, findings: Findings) -> bool:
    """Take what a child finds until it ends; says whether it had to be ended, as it did nothing for long."""
    before = last = current.value
    since = time.monotonic()
    while child.is_alive() or ours.poll():
        # the end of what a killed child has written may be missing
        with suppress(EOFError, OSError):
            if ours.poll(0.2):
                findings.add(ours.recv())
        child.join(0.01)
        if current.value != last:
            last, since = current.value, time.monotonic()
        elif child.is_alive() and time.monotonic() - since > (HANG if last != before else START):
            child.kill()
            child.join()
            return True
        elif not child.is_alive():
            with suppress(EOFError, OSError):
                while ours.poll():
                    findings.add(ours.recv())
            break
    return False


def _child(
    find: Callable[[str], Target],
    name: str,
    seed: int,
    first: int,
    n: int,
    left: float,
    current: Any,
    out: Connection,
) -> None:
    target, until, found = find(name), time.monotonic() + left, Findings()
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_memory()) as folder, watched():
        _warm_up(target, Path(folder))
        for index in range(first, first + n):
            current.value = index
            finding = run_one(target, Path(folder), seed, index)
            if found.add(finding):
                out.send(finding)
            if time.monotonic() > until:
                break


def _warm_up(target: Target, folder: Path) -> None:
    """Read the well-formed files, so that no input is blamed for what is imported and compiled once."""
    import pysam

    pysam.set_verbosity(0)
    for data in target.seeds:
        path = folder / f"input{target.suffix}"
        path.write_bytes(target.archive(data) if target.archive else data)
        with suppress(Exception):  # found again, and judged, when it is executed
            target.read(path)


def _memory() -> str | None:
    """A folder in memory, where there is one."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
