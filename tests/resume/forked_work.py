"""Do work of the three kinds in forked processes, and print what is wrong then; run by test_processes.py.

    forked_work.py kill KIND N SEED     kill it at N lines of tfbind.resume that are drawn, and resume it
    forked_work.py race KIND N SEED     start several processes into one output at once, N times

To start Python for each of the processes would take minutes.
"""

import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

import tfbind.resume.table
from tfbind.errors import TfbindError
from tfbind.files import whole_output
from tfbind.resume.checkpoint import checkpointed
from tfbind.resume.replicates import finished_replicates
from tfbind.resume.table import resumable

UNITS = range(3)
TRACED = str(Path(tfbind.resume.table.__file__).parent)


def note(folder, word, unit):
    """Add to the protocol, which no interruption can undo."""
    with open(folder / "protocol", "a") as handle:
        handle.write(f"{word} {unit} {os.getpid()}\n")


def table(folder, of, resume):
    with resumable(folder / "out.tsv.gz", {"of": of}, resume=resume) as table:
        if not table.complete:
            for unit in list(UNITS)[table.state.get("done", 0) :]:
                note(folder, "begin", unit)
                table.lines.write(f"{of} {unit}\n" * 20)
                table.checkpoint({"done": unit + 1})
                note(folder, "end", unit)
            table.finish({"done": len(UNITS)})


def replicates(folder, of, resume):
    output = folder / "out.npy"
    with finished_replicates(output, {"of": of}, resume=resume) as finished:
        for unit in UNITS:
            if unit not in finished:
                note(folder, "begin", unit)
                finished.add(unit, {"x": np.full(50, unit), "of": of})
                note(folder, "end", unit)
        parts = [finished.read(unit) for unit in UNITS]
        assert {part["of"] for part in parts} == {of}
        with whole_output(output) as temporary, open(temporary, "wb") as handle:
            np.save(handle, [part["x"] for part in parts])


def checkpoint(folder, of, resume):
    output = folder / "out.keras"
    with checkpointed(output, {"of": of}, resume=bool(resume)) as checkpoint:
        done, weights = 0, np.full(50, len(of), float)
        if (found := checkpoint.read()) is not None:
            done, weights = found[0]["done"], found[1]["weights"]
        for unit in list(UNITS)[done:]:
            note(folder, "begin", unit)
            weights = weights * 3 + unit
            checkpoint.write({"done": unit + 1}, {"weights": weights})
            note(folder, "end", unit)
        with whole_output(output) as temporary, open(temporary, "wb") as handle:
            np.save(handle, weights)


WORK = {"table": table, "replicates": replicates, "checkpoint": checkpoint}


def in_another_process(work, *arguments, kill_at=None):
    """Do work in a forked process, which is killed at a line of the room; give its exit code."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            if kill_at is not None:
                sys.settrace(killer(kill_at))
            work(*arguments)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status)


def killer(line):
    left = line

    def trace(frame, event, _):
        nonlocal left
        if event == "call":
            return trace if frame.f_code.co_filename.startswith(TRACED) else None
        if event == "line":
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    return trace


def units(folder, word):
    protocol = folder / "protocol"
    lines = protocol.read_text().splitlines() if protocol.exists() else []
    return [line.split()[1] for line in lines if line.startswith(word)]


def visible(folder):
    """Names of files; a hidden one is that of `whole_output`, which a kill may leave."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def trial(name, expected, left, line, base):
    """Kill at a line, resume, and say what is wrong; None if the work ended before that line."""
    folder = Path(tempfile.mkdtemp(dir=base))
    if left is not None:
        shutil.copytree(left, folder, dirs_exist_ok=True)
    code = in_another_process(WORK[name], folder, "mine", "anew", kill_at=line)
    if code == 0:
        return None
    wrong = [] if code == -signal.SIGKILL else [f"ended with {code}"]
    output = folder / expected.name
    # where the output is there, nothing of the work need be
    done = [] if output.exists() else units(folder, "end")
    (folder / "protocol").unlink(missing_ok=True)
    if in_another_process(WORK[name], folder, "mine", "anew"):
        wrong.append("resuming fails")
    if set(done) & set(units(folder, "begin")):
        wrong.append("what was done is done again")
    (folder / "protocol").unlink(missing_ok=True)
    if not output.exists() or output.read_bytes() != expected.read_bytes():
        wrong.append("the output differs")
    if name == "checkpoint" and left is not None:
        output.unlink(missing_ok=True)
        in_another_process(WORK[name], folder, "other", True)
        if "0" in units(folder, "begin"):
            wrong.append("the other checkpoint is lost")
        (folder / "protocol").unlink(missing_ok=True)
    if visible(folder) != [expected.name]:
        wrong.append(f"left {visible(folder)}")
    shutil.rmtree(folder)
    return wrong


def interrupted(name, folder):
    """Leave what an interrupted run of other arguments leaves, two units of it."""
    folder.mkdir()
    original = globals()["note"]

    def note(folder, word, unit):
        if (word, unit) == ("begin", 2):
            raise KeyboardInterrupt

    globals()["note"] = note
    try:
        WORK[name](folder, "other", False)
    except KeyboardInterrupt:
        pass
    finally:
        globals()["note"] = original


def kill(name, n_lines, seed, expected, left, base):
    """Try lines of a work from the beginning, and of one that finds what another has left."""
    found = {"killed": 0, "wrong": []}
    for there in (None, left):
        low, high = 0, 4096
        while low < high:
            middle = (low + high) // 2
            is_over = trial(name, expected, there, middle, base) is None
            low, high = (low, middle) if is_over else (middle + 1, high)
        lines = random.Random(seed).sample(range(low), min(n_lines, low))
        for line in lines:
            wrong = trial(name, expected, there, line, base)
            found["killed"] += wrong is not None
            if wrong:
                found["wrong"].append([there is not None, line, wrong])
    return found


def late(name, folder, of, seconds):
    """Work that begins after some time; a refusal exits with 2, as on the command line."""
    time.sleep(seconds)
    try:
        WORK[name](folder, of, "anew")
    except TfbindError as error:
        if "another run is using it" not in str(error):
            raise
        os._exit(2)


def race(name, n_rounds, seed, expected, left, base):
    """Start processes into one output at once: those that are let in must follow one after the other."""
    rng, found = random.Random(seed), {"done": 0, "refused": 0, "wrong": []}
    for number in range(n_rounds):
        folder = Path(tempfile.mkdtemp(dir=base))
        if number % 2:
            shutil.copytree(left, folder, dirs_exist_ok=True)
        processes = []
        for _ in range(5):
            of, seconds = rng.choice(["mine", "mine", "other"]), rng.uniform(0, 0.01)
            processes.append(os.fork())
            if processes[-1] == 0:
                code = 1
                try:
                    late(name, folder, of, seconds)
                    code = 0
                except BaseException:
                    traceback.print_exc()
                finally:
                    os._exit(code)
        codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
        found["done"] += codes.count(0)
        found["refused"] += codes.count(2)
        if set(codes) - {0, 2} or 0 not in codes:
            found["wrong"].append(f"ended with {codes}")
        workers = [line.split()[2] for line in (folder / "protocol").read_text().splitlines()]
        turns = [
            worker for worker, before in zip(workers, [None, *workers], strict=False) if worker != before
        ]
        if len(turns) > len(set(turns)):
            found["wrong"].append("two processes worked at once")
        (folder / "protocol").unlink()
        # what was set aside waits for a process that may not have been let in
        names = [each for each in visible(folder) if not each.startswith("out.checkpoint.")]
        if names != [expected.name]:
            found["wrong"].append(f"left {names}")
        shutil.rmtree(folder)
    return found


def main(what, name, n, seed):
    tfbind.resume.table.SECONDS_BETWEEN_ENTRIES = 0
    # it takes most of the time, and matters when the machine fails, not when a process is killed
    os.fsync = lambda _: None
    logging.disable()
    with tempfile.TemporaryDirectory() as base:
        base = Path(base)
        (base / "whole").mkdir()
        WORK[name](base / "whole", "mine", False)
        (base / "whole" / "protocol").unlink()
        (expected,) = (base / "whole").iterdir()
        interrupted(name, base / "left")
        print(json.dumps(what(name, n, seed, expected, base / "left", base)))


if __name__ == "__main__":
    main({"kill": kill, "race": race}[sys.argv[1]], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
