"""htslib, which reads genomes and BCF for us, prints messages of its own."""

from __future__ import annotations

import pysam

from tfbind import process


def quiet() -> None:
    """Keep htslib from printing its messages beside our one line, if the ``tfbind`` command owns the process."""
    if process.is_owned():
        process.at_end(pysam.set_verbosity, pysam.set_verbosity(0))
