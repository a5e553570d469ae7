"""Find the sites of factors on held-out contigs, beside a weight matrix and other architectures.

    python tests/benchmarks/genome_sites.py --genome R64.fa.gz --contigs IV,VII -o OUT \
        Abf1.bed.gz=MA0265.3 Cbf1.bed.gz=MA0281.3 Reb1.bed.gz=MA0363.3

Each factor is a file of peaks and its JASPAR matrix. Everything goes through the command line, with its defaults:
encode, train, train --architecture for each of --beside, evaluate. OUT/sites.tsv has a row for each factor and seed.
The contigs are read by `tfbind evaluate` alone; to choose settings give other contigs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd

METRICS = ("average_precision", "recall_at_q10", "median_offset", "expected", "observed")


def tfbind(log: Path, *arguments: object) -> None:
    """Run one verb; its messages go to the end of a log."""
    with open(log, "a") as messages:
        subprocess.run([sys.executable, "-m", "tfbind", *map(str, arguments)], stderr=messages, check=True)


def measure(peaks: Path, matrix: str, seed: int, args: argparse.Namespace) -> dict[str, object]:
    """Encode, train and evaluate one factor."""
    factor = peaks.name.split(".")[0]
    base = args.output / f"{factor}.{seed}"
    tensors, log = f"{base}.h5", Path(f"{base}.log")
    tfbind(
        log,
        *("encode", "--peaks", peaks, "--genome", args.genome, "--test-contigs", args.contigs),
        *("--seed", seed, "-o", tensors),
    )
    models = {"default": f"{base}.keras"} | {name: f"{base}.{name}.keras" for name in args.beside}
    for name, model in models.items():
        architecture = [] if name == "default" else ["--architecture", name]
        seeds = ["--seeds", args.members] if name == "default" and args.members else []
        tfbind(log, "train", tensors, "--seed", seed, *architecture, *seeds, "-o", model)
    tfbind(
        log,
        *("evaluate", "--model", *models.values(), "--genome", args.genome, "--peaks", peaks),
        *("--contigs", args.contigs, "--pwm", matrix, "-o", f"{base}.sites"),
    )
    metrics = json.loads(Path(f"{base}.sites/metrics.json").read_text())
    row: dict[str, object] = {"factor": factor, "seed": seed, "matrix": metrics["pwm"]["average_precision"]}
    others = {name: metrics["models"][Path(models[name]).stem]["average_precision"] for name in args.beside}
    return row | others | {name: metrics["sites"][name] for name in METRICS}


def main() -> None:
    """Measure all factors and seeds, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("factors", nargs="+", metavar="PEAKS=MATRIX")
    parser.add_argument("--genome", type=Path, required=True)
    parser.add_argument("--contigs", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--beside", nargs="*", default=["gkm-linear"], help="architectures (default gkm-linear)"
    )
    parser.add_argument("--members", type=int, help="networks to average (default: what train does)")
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for seed in args.seeds:
        for factor in args.factors:
            peaks, _, matrix = factor.rpartition("=")
            rows.append(measure(Path(peaks), matrix, seed, args))
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
            pd.DataFrame(rows).to_csv(args.output / "sites.tsv", sep="\t", index=False)


if __name__ == "__main__":
    main()
