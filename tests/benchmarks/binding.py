"""Train architectures on data sets, judge them on the held-out halves, and write a table and a figure.

    python tests/benchmarks/binding.py ../shared/data/encode/* --architectures conv-bilstm bigru --seeds 0 1 2 -o out

Each folder holds train.pos.fa.gz, test.pos.fa.gz and test.neg.fa.gz. Training negatives are dinucleotide shuffles; a
tenth of the training file is the validation part, and the test files are read by `tfbind evaluate` alone, once a run.
Everything goes through the command line, as a user would do it. A run that is there already is not made again; one
that had been made with other options is refused.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path

import pandas as pd
from Bio import SeqIO

from tfbind.files import open_text


def tfbind(*arguments: object) -> None:
    """Run one verb; its messages go to a log beside its output."""
    command = [sys.executable, "-m", "tfbind", *map(str, arguments)]
    output = Path(str(arguments[-1]))
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(output.parent / f"{output.name}.log", "w") as log:
        subprocess.run(command, stderr=log, check=True)


def sample(positives: Path, n: int, seed: int, path: Path) -> Path:
    """Write ``n`` records out of a FASTA file, at random."""
    with open_text(positives) as handle:
        records = list(SeqIO.parse(handle, "fasta"))
    SeqIO.write(random.Random(seed).sample(records, min(n, len(records))), path, "fasta")
    return path


def run_one(folder: Path, architecture: str, seed: int, options: argparse.Namespace) -> dict[str, object]:
    """Encode, train and evaluate one combination; give its row of the table."""
    work = options.output / f"{folder.name}.{architecture}.{seed}"
    result = work / "row.json"
    settings = {"peaks": options.peaks, "train": " ".join(options.train)}
    if result.exists():
        row = json.loads(result.read_text())
        found = {name: row.get(name, asked) for name, asked in settings.items()}
        if found != settings:
            sys.exit(f"{result}: found a run with {found}, expected {settings}: choose another -o")
        return row
    tensors, model = work / "tensors.h5", work / "model.keras"
    positives = folder / "train.pos.fa.gz"
    if options.peaks is not None:
        work.mkdir(parents=True, exist_ok=True)
        positives = sample(positives, options.peaks, seed, work / "positives.fa")
    tfbind("encode", "--positives", positives, "--split", "0.9,0.1,0", "--seed", seed, "-o", tensors)
    start = time.monotonic()
    train = ["train", tensors, "--architecture", architecture, "--seed", seed, "--threads", options.threads]
    tfbind(*train, *options.train, "--resume", "-o", model)
    seconds = time.monotonic() - start
    test = ["--positives", folder / "test.pos.fa.gz", "--negatives", folder / "test.neg.fa.gz"]
    tfbind("evaluate", "--model", model, *test, "-o", work / "evaluation")
    (metrics,) = json.loads((work / "evaluation" / "metrics.json").read_text()).values()
    log = (work / "model.keras.log").read_text()
    row = {
        "set": folder.name,
        "architecture": architecture,
        "seed": seed,
        **settings,
        "auroc": metrics["auroc"],
        "auprc": metrics["auprc"],
        "brier": metrics["brier"],
        "ece": metrics["ece"],
        "ece_perfect_q95": metrics["ece_perfect_q95"],
        "parameters": int(re.search(r"\(([\d,]+) parameters", log)[1].replace(",", "")),
        "seconds": round(seconds, 1),
    }
    result.write_text(json.dumps(row))
    print("\t".join(map(str, row.values())), file=sys.stderr, flush=True)
    return row


def draw(table: pd.DataFrame, path: Path) -> None:
    """One column of points a set, one colour an architecture."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.5), layout="constrained")
    axes = figure.subplots()
    sets = sorted(table["set"].unique())
    for index, (architecture, rows) in enumerate(table.groupby("architecture", sort=False)):
        x = [sets.index(name) + 0.08 * index for name in rows["set"]]
        axes.plot(
            x, rows["auroc"], "o", label=f"{architecture} (mean {rows['auroc'].mean():.3f})", markersize=4
        )
    axes.set_xticks(range(len(sets)), sets, fontsize=8)
    axes.set_ylabel("AUROC on the test half")
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--architectures", nargs="+", required=True)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--peaks", type=int, help="train on so many peaks of each set, drawn at random")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side")
    parser.add_argument("--threads", type=int, default=1, help="of one run")
    parser.add_argument(
        "--train", nargs="*", default=[], help="more arguments for tfbind train, without the dashes"
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.train = [word if index % 2 else f"--{word}" for index, word in enumerate(options.train)]
    with ThreadPoolExecutor(options.jobs) as pool:
        combinations = list(product(options.folders, options.architectures, options.seeds))
        rows = list(pool.map(lambda one: run_one(*one, options), combinations))
    table = pd.DataFrame(rows)
    table.to_csv(options.output / "table.tsv", sep="\t", index=False)
    draw(table, options.output / "table.png")
    by = table.groupby(["set", "architecture"], sort=False)
    summary = (
        by["auroc"]
        .agg(["mean", "min"])
        .join(by[["auprc", "ece", "ece_perfect_q95", "seconds"]].mean())
        .unstack()
    )
    print(summary.round(3).to_string())
    columns = ["auroc", "auprc", "brier", "parameters", "seconds"]
    print(table.groupby("architecture", sort=False)[columns].mean().round(4).to_string())


if __name__ == "__main__":
    main()
