"""A reader that dies, in a module that a process of its own can import."""

import os
import signal

from fuzzer.judge import Target

SEEDS = (b"a\t1\n",)


def dies(path):
    """Read what is well-formed, and end with a signal at anything else."""
    if path.read_bytes() != SEEDS[0]:
        os.kill(os.getpid(), signal.SIGSEGV)
    return 1


def of_the_dead(name):
    """Make the target."""
    return Target("it", SEEDS, dies, native=True)
