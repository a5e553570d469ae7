"""Train on tables of labelled sequences, and judge on other tables of the same set.

    python tests/benchmarks/labelled.py ../shared/data/gue/*.train.csv.gz --seeds 0 1 2 -o OUT [--train epochs 20]

Beside each NAME.train.csv.gz lies NAME.dev.csv.gz, which no training reads: it is the test part, and a tenth of the
training file is the validation part. The metrics are AUROC and Matthews's correlation at a probability of .5, which is
what the GUE benchmark (Zhou 2024) reports. Everything goes through the command line.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pandas as pd
from genome_sites import tfbind
from sklearn.metrics import matthews_corrcoef


def measure(table: Path, seed: int, args: argparse.Namespace) -> dict[str, object]:
    """Encode, train and evaluate one set."""
    name = table.name.split(".")[0]
    base = args.output / f"{name}.{seed}"
    log, tensors, model, evaluation = (Path(f"{base}.{suffix}") for suffix in ("log", "h5", "keras", "out"))
    dev = table.with_name(table.name.replace(".train.", ".dev."))
    split = ("--test-table", dev, "--split", "0.9,0.1,0", "--seed", seed)
    tfbind(log, "encode", "--table", table, *split, "-o", tensors)
    began = time.monotonic()
    tfbind(log, "train", tensors, "--seed", seed, *args.train, "-o", model)
    seconds = time.monotonic() - began
    tfbind(log, "evaluate", "--model", model, "--tensors", tensors, "-o", evaluation)
    (metrics,) = json.loads((evaluation / "metrics.json").read_text()).values()
    scores = pd.read_csv(evaluation / "predictions.tsv", sep="\t")
    called = scores["score"] >= 0.5
    return {
        "set": name,
        "seed": seed,
        "n": metrics["n_positive"] + metrics["n_negative"],
        "mcc": matthews_corrcoef(scores["label"], called),
        "auroc": metrics["auroc"],
        "seconds": round(seconds),
    }


def main() -> None:
    """Measure all sets and seeds, and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", type=Path, nargs="+", metavar="NAME.train.csv.gz")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--train", nargs="*", default=[], metavar="OPTION VALUE", help="more for tfbind train"
    )
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    args.train = [f"--{word}" if number % 2 == 0 else word for number, word in enumerate(args.train)]
    args.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for seed in args.seeds:
        for table in args.tables:
            rows.append(measure(table, seed, args))
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
            pd.DataFrame(rows).to_csv(args.output / "labelled.tsv", sep="\t", index=False)


if __name__ == "__main__":
    main()
