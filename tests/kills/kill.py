"""Kill verbs at random moments, run them again, and compare all files with those of an undisturbed run.

    kill.py N SEED FOLDER [VERB ...]     N kills, dealt among the verbs in turn; FOLDER keeps what went wrong

Two runs at once into one output are tried, too, once a verb. Prints a row a verb: killed, ended before the kill came,
wrong, with something left, seconds of an undisturbed run. Exits with 1 if
anything is wrong or left. Verbs run in forked processes, as starting Python and
TensorFlow would take most of the time, and most kills would hit that.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from kill_verbs import COMMANDS, command, make_inputs, ways_to_resume

SIGNALS = {signal.SIGKILL: (-9,), signal.SIGTERM: (143, -15), signal.SIGINT: (130, -2)}
# what a kill may leave under a name of its own, for the next run to take up or to remove
UNFINISHED = re.compile(
    r"(^|/)\.[^/]*\.part(/|$)|\.(partial|journal|checkpoint|new)$|\.checkpoint\.[0-9a-f]{8}$|^out\.members/"
)
PATIENCE = 120.0
HALF_A_SECOND = 0.5


def load() -> None:
    """Import what verbs use, so that a forked process is at work at once."""
    import keras  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import msprime  # noqa: F401
    import openvino  # noqa: F401
    import pysam  # noqa: F401
    import sklearn.linear_model  # noqa: F401

    import tfbind.binding.scanning.prediction
    import tfbind.recombination.mapping.prediction  # noqa: F401


def start(words: list[str], folder: Path, log: Path) -> int:
    """Start a command in a process and a process group of its own; give its id."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setpgid(0, 0)
        os.chdir(folder)
        os.environ["TMPDIR"] = str(folder / "tmp")
        (folder / "tmp").mkdir(exist_ok=True)
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        from tfbind import cli

        code = cli.main(words)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def finish(process: int) -> int | None:
    """Wait for a command's end; give its exit status, or None where it hangs."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return None


def outlived(process: int) -> bool:
    """Tell whether processes of a command's group are there some seconds after its end; end them."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            os.killpg(process, 0)
        except (ProcessLookupError, PermissionError):
            return False
        time.sleep(0.05)
    os.killpg(process, signal.SIGKILL)
    return True


def files(folder: Path) -> dict[str, bytes]:
    """Give all files of a folder by name; an empty folder counts as one."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
        elif not any(path.iterdir()) and path.name != "tmp":
            found[f"{path.relative_to(folder)}/"] = b""
    return found


class Verb:
    """A verb's command with what an undisturbed run of it leaves, and how long that takes."""

    def __init__(self, name: str, inputs: Path, scratch: Path):
        self.name, self.inputs, self.scratch = name, inputs, scratch
        folder = scratch / "whole"
        shutil.copytree(inputs, folder)
        began = time.monotonic()
        self.run(command(name, []), folder)
        self.seconds = time.monotonic() - began
        self.before, self.expected = files(inputs), files(folder)
        if set(self.expected) <= set(self.before):
            raise RuntimeError(f"{name}: writes nothing")
        # over its own output, it writes the same
        self.run(command(name, []), folder)
        self.check_same(files(folder), "a second run")
        shutil.rmtree(folder)

    def run(self, words: list[str], folder: Path) -> None:
        """Run a command that must succeed."""
        log = self.scratch / "log"
        status = finish(start(words, folder, log))
        if status != 0:
            raise RuntimeError(f"{self.name}: ended with {status}: {log.read_text()[-2000:]}")

    def check_same(self, found: dict[str, bytes], of: str) -> None:
        """Raise where files are not those of the undisturbed run."""
        wrong = [name for name in self.expected if found.get(name) != self.expected[name]]
        more = [name for name in found if name not in self.expected]
        if wrong or more:
            raise RuntimeError(f"{self.name}: {of} leaves other files: {wrong} differ, {more} are left")

    def kill(self, rng: random.Random, folder: Path) -> Counter[str]:
        """Kill once and run again; count what happened, and keep the folder where anything is wrong."""
        number = rng.choice(list(SIGNALS))
        shutil.copytree(self.inputs, folder)
        log = self.scratch / "log"
        process = start(command(self.name, []), folder, log)
        # starting the process is part of that time
        time.sleep(rng.uniform(0, self.seconds))
        os.kill(process, number)
        status = finish(process)
        # Ctrl-C goes to the whole group, and is not what is told apart here
        wrong = [] if not outlived(process) else ["processes outlive it"]
        said = log.read_text()
        if status == 0:
            wrong += self.differences(files(folder), whole=True)
            shutil.rmtree(folder)
            return Counter({"ended before": 1, "wrong": bool(wrong)})
        if status not in SIGNALS[number]:
            wrong.append(f"ended with {status}")
        if "Traceback" in said:
            wrong.append("a traceback")
        wrong += self.differences(files(folder), whole=False)
        again = rng.choice(ways_to_resume(self.name))
        status = finish(start(command(self.name, again), folder, log))
        if status != 0:
            wrong.append(f"run again with {again}: ended with {status}")
        found = files(folder)
        left = sorted(set(found) - set(self.expected))
        wrong += self.differences({name: found[name] for name in found if name not in left}, whole=True)
        if wrong or left:
            keep = folder.with_name(f"wrong-{folder.name}")
            folder.rename(keep)
            shutil.copy(log, keep / "log-of-second-run")
            (keep / "log-of-first-run").write_text(said)
            about = [self.name, signal.Signals(number).name, wrong, left, str(keep)]
            print(json.dumps(about), file=sys.stderr, flush=True)
        else:
            shutil.rmtree(folder)
        return Counter({"killed": 1, "wrong": bool(wrong), "left": bool(left)})

    def run_twice_at_once(self, rng: random.Random, folder: Path) -> list[str]:
        """Run two processes into one output, and say what is wrong: one may be refused, and nothing else is."""
        shutil.copytree(self.inputs, folder)
        words = command(self.name, [])
        logs = [self.scratch / f"log-{number}" for number in range(2)]
        first = start(words, folder, logs[0])
        time.sleep(rng.uniform(0, self.seconds / 2))
        second = start(words, folder, logs[1])
        ends = [finish(first), finish(second)]
        said = "".join(log.read_text() for log in logs)
        wrong = [] if 0 in ends and set(ends) <= {0, 2} else [f"ended with {ends}"]
        if 2 in ends and "another run is using it" not in said:
            wrong.append("refused for another reason")
        found = files(folder)
        wrong += self.differences(found, whole=True)
        wrong += [f"{name} is left" for name in found if name not in self.expected]
        if wrong:
            print(json.dumps([self.name, "two at once", wrong, said[-500:]]), file=sys.stderr, flush=True)
        shutil.rmtree(folder)
        return wrong

    def differences(self, found: dict[str, bytes], *, whole: bool) -> list[str]:
        """Say what is not as in an undisturbed run; where that was killed, files may be missing or unfinished."""
        wrong = [
            f"{name} differs"
            for name in found
            if name in self.expected and found[name] != self.expected[name]
        ]
        if whole:
            wrong += [f"{name} is missing" for name in self.expected if name not in found]
        more = [name for name in found if name not in self.expected and not name.endswith("/")]
        wrong += [
            f"{name} is there" for name in more if not (UNFINISHED.search(name) or name.startswith("tmp/"))
        ]
        return wrong


def main(n: int, seed: int, base: Path, names: list[str]) -> int:
    """Kill ``n`` times, print the table, and give the exit status."""
    base.mkdir(parents=True, exist_ok=True)
    inputs = base / "inputs"
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_DETERMINISTIC_OPS": "1"}
    load()
    if not inputs.exists():
        making = base / "making"
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir()
        make_inputs(making, names, lambda words, folder: finish(start(words, folder, base / "log")))
        shutil.rmtree(making / "tmp", ignore_errors=True)
        making.rename(inputs)
    table: dict[str, Counter[str]] = {}
    rng = random.Random(seed)
    for index, name in enumerate(names):
        scratch = base / f"{os.getpid()}-{index}"
        scratch.mkdir()
        verb, counts = Verb(name, inputs, scratch), Counter()
        for number in range(n // len(names) + (index < n % len(names))):
            counts += verb.kill(rng, scratch / str(number))
        counts["wrong"] += bool(verb.run_twice_at_once(rng, scratch / "twice"))
        table[name] = counts
        row = [f"{counts[key]}" for key in ("killed", "ended before", "wrong", "left")]
        print("\t".join([name, *row, f"{verb.seconds:.1f}"]), flush=True)
    total = sum(table.values(), Counter())
    print("\t".join(["all", *(f"{total[key]}" for key in ("killed", "ended before", "wrong", "left")), ""]))
    return int(total["wrong"] + total["left"] > 0)


if __name__ == "__main__":
    sys.exit(
        main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]).resolve(), sys.argv[4:] or list(COMMANDS))
    )
