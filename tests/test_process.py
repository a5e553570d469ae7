"""What a library call leaves alone, and what the command line may change."""

import ast
import os
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pysam
import pytest

import tfbind
from tfbind import process
from tfbind.dna.genome import Genome
from tfbind.training.device import seeded

# compares the process before and after: random numbers, htslib, and whether fd 2 was ever redirected; what is imported
# first draws random numbers while it is imported
WATCHED = """
import os, random, sys
import numpy as np, pysam, {first}

redirected, dup2 = [], os.dup2
os.dup2 = lambda *arguments, **options: redirected.append(arguments) or dup2(*arguments, **options)

def state():
    seeds = np.random.get_state()
    return random.getstate(), seeds[1].tolist(), seeds[2:], os.fstat(2).st_ino, pysam.get_verbosity()

before = state()
{code}
assert state() == before and not redirected
"""
TRAINING = """
from pathlib import Path
from tfbind.binding.learning.training import train
from tfbind.training.options import FitOptions
train(
    Path({tensors!r}), Path({output!r}), architecture="conv-bigru", network_values={{"units": 4, "filters": 6}},
    options=FitOptions(epochs=1, batch_size=32, seed=7), threads=1, resume=False,
)
# TensorFlow refuses to draw without a seed once its operations are deterministic
tensorflow.random.normal((1,))
"""
COMMAND = """
import pysam
before = pysam.get_verbosity()
from tfbind.cli import main
assert main(
    ["train", {tensors!r}, "-o", {output!r}, "--architecture", "conv-bigru", "--units", "4", "--epochs", "1"]
) == 0
assert pysam.get_verbosity() == before
import tensorflow as tf
try:
    tf.random.normal((1,))
except RuntimeError:
    pass
else:
    raise AssertionError("the command's operations are not deterministic")
"""
# each function that changes the whole process, and the modules that may call it
CHANGES = {
    "os.dup2": {"process.py", "cli/__init__.py"},
    "pysam.set_verbosity": {"dna/htslib.py"},
    "enable_op_determinism": {"training/device.py"},
    "set_random_seed": set(),
    "set_seed": set(),
    "np.random.seed": set(),
    "random.seed": {"training/device.py"},
    "basicConfig": {"cli/__init__.py"},
}
PACKAGE = Path(tfbind.__file__).parent


def run(code):
    """Run code in a process of its own, without what the tests' own process sets; give its stderr."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stderr


class TestLibrary:
    def test_import_changes_nothing(self):
        modules = (
            "tfbind.cli, tfbind.genotypes.vcf, tfbind.dna.vcf, tfbind.dna.genome, tfbind.training.device"
        )
        run(WATCHED.format(first="scipy", code=f"import {modules}"))

    @pytest.mark.parametrize("name", CHANGES)
    def test_calls_nothing_that_changes_the_process(self, name):
        callers = set()
        for path in PACKAGE.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
                    callers.add(path.relative_to(PACKAGE).as_posix())
        assert callers == CHANGES[name]

    def test_training_changes_nothing(self, given_tensors, tmp_path):
        code = TRAINING.format(tensors=str(given_tensors), output=str(tmp_path / "m.keras"))
        run(WATCHED.format(first="sklearn.metrics, tensorflow, keras", code=code))

    def test_genome_changes_nothing(self, tmp_path, capfd):
        (tmp_path / "g.fa").write_text(">a\nACGT\n")
        before = pysam.get_verbosity()
        with Genome(tmp_path / "g.fa"):
            assert pysam.get_verbosity() == before

    def test_stderr_is_left_alone(self, capfd):
        with process.quiet_stderr():
            os.write(2, b"heard\n")
        assert capfd.readouterr().err == "heard\n"

    def test_random_numbers_go_on_after_a_seeded_block(self):
        random.seed(1)
        expected = [random.random(), random.random()]
        random.seed(1)
        found = [random.random()]
        with suppress(ValueError), seeded(5):
            random.random()
            raise ValueError
        assert [*found, random.random()] == expected


class TestCommandLine:
    def test_is_quiet_and_deterministic_and_puts_back_what_it_can(self, given_tensors, tmp_path):
        code = COMMAND.format(tensors=str(given_tensors), output=str(tmp_path / "m.keras"))
        lines = run(code).splitlines()
        assert [line for line in lines if not line.startswith("tfbind: ")] == []
        assert lines

    def test_hides_what_native_libraries_write_to_stderr(self, capfd):
        with process.owned(), process.quiet_stderr():
            os.write(2, b"hidden\n")
            sys.stdout.write("kept\n")
        os.write(2, b"heard\n")
        assert capfd.readouterr() == ("kept\n", "heard\n")

    def test_puts_back_what_a_block_inside_another_has_changed(self):
        ended = []
        with process.owned():
            process.at_end(ended.append, "outer")
            with process.owned():
                process.at_end(ended.append, "inner")
            assert process.is_owned()
            assert ended == ["inner"]
        assert not process.is_owned()
        assert ended == ["inner", "outer"]
        with pytest.raises(RuntimeError, match="another program"):
            process.at_end(ended.append, "never")

    @pytest.fixture
    def before(self):
        """A level that is not 0, whatever the tests before have left."""
        left, level = pysam.get_verbosity(), 3
        pysam.set_verbosity(level)
        yield level
        pysam.set_verbosity(left)

    def test_quiets_htslib_until_it_ends(self, before, tmp_path):
        (tmp_path / "g.fa").write_text(">a\nACGT\n")
        with process.owned():
            for _ in range(2):
                with Genome(tmp_path / "g.fa"):
                    assert pysam.get_verbosity() == 0
        assert pysam.get_verbosity() == before


def test_same_seed_same_numbers():
    with seeded(3):
        one = random.random()
    random.random()
    with seeded(3):
        assert random.random() == one


PARENT = """
import multiprocessing, time
from concurrent.futures import ProcessPoolExecutor
from tfbind.process import end_with_parent

if __name__ == "__main__":
    pool = ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), initializer=end_with_parent)
    for child in [pool.submit(os.getpid) for _ in range(4)]:
        child.result()
    print(*pool._processes, flush=True)
    time.sleep(600)
"""


def _is_running(pid):
    """Whether a process is there and no zombie, which only waits to be counted."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs /proc to see whether a process is there"
)
def test_children_end_with_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text("import os\n" + PARENT)
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as parent:
        children = parent.stdout.readline().split()
        assert len(children) == 2
        assert all(map(_is_running, children))
        parent.kill()
    deadline = time.monotonic() + 60
    while any(map(_is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_is_running, children))
