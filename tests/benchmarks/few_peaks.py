"""Train on few peaks: from scratch, from a model of other factors, and as an ensemble.

    python tests/benchmarks/few_peaks.py ../shared/data/encode/* --arms scratch-250 started-250 scratch-2500 -o out

Each folder holds train.pos.fa.gz, test.pos.fa.gz and test.neg.fa.gz. An arm is HOW-PEAKS:

  scratch-250    250 training peaks drawn at random
  started-250    the same, from a model of --source-peaks peaks of each of the other sets, pooled as one factor
  ensemble-2500  --seeds models of 2,500 peaks in one file

A peak of another set that overlaps a test or judging sequence of this one is left out. With --judge training the
models are judged on 1,500 other training peaks and their shuffles, to choose settings; with --judge test on the test
half. Everything goes through the command line. A finished run is not repeated; one of other settings is refused.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from Bio import SeqIO

from tfbind.dna.fasta import encode_batch
from tfbind.dna.minimizers import find_overlaps, sketch
from tfbind.files import open_text

LENGTH = 101
N_JUDGES = 1_500


def tfbind(*arguments: object) -> None:
    """Run one verb; its messages go to a log beside its output."""
    command = [sys.executable, "-m", "tfbind", *map(str, arguments)]
    output = Path(str(arguments[-1]))
    output.parent.mkdir(parents=True, exist_ok=True)
    with open(output.parent / f"{output.name}.log", "w") as log:
        subprocess.run(command, stderr=log, check=True)


def read_peaks(path: Path) -> dict[str, str]:
    """Read a FASTA file: sequences by name."""
    with open_text(path) as handle:
        return {record.id: str(record.seq) for record in SeqIO.parse(handle, "fasta")}


def write_peaks(peaks: dict[str, str], path: Path) -> Path:
    """Write sequences by name, and give the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in peaks.items()))
    return path


def draw(peaks: dict[str, str], n: int, rng: random.Random) -> dict[str, str]:
    """Draw peaks at random."""
    return {name: peaks[name] for name in rng.sample(list(peaks), min(n, len(peaks)))}


def without_overlaps(peaks: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    """Leave out peaks that overlap one of the others, or are one."""
    sketches = []
    for some in (peaks, others):
        batch = encode_batch("peaks", list(some), list(some.values()), LENGTH)
        sketches.append(sketch(batch.codes, batch.valid_length))
    overlap = find_overlaps(*sketches)
    return {name: sequence for (name, sequence), out in zip(peaks.items(), overlap, strict=True) if not out}


class Set:
    """One data set, its training peaks dealt to samples and judges, and the arms that are run on it."""

    def __init__(self, folder: Path, options: argparse.Namespace):
        self.folder, self.options = folder, options
        self.work = options.output / folder.name
        rng = random.Random(options.seed)
        peaks = read_peaks(folder / "train.pos.fa.gz")
        judges = draw(peaks, N_JUDGES, rng) if options.judge == "training" else {}
        self.test = judges or read_peaks(folder / "test.pos.fa.gz")
        peaks = {name: sequence for name, sequence in peaks.items() if name not in judges}
        self.peaks = without_overlaps(peaks, judges) if judges else peaks

    def tensors(self, n_peaks: int) -> Path:
        """Encode a sample of the training peaks: a smaller sample is part of a larger one."""
        path = self.work / f"{n_peaks}.h5"
        if not path.exists():
            order = list(self.peaks)
            random.Random(self.options.seed).shuffle(order)
            sample = {name: self.peaks[name] for name in order[:n_peaks]}
            self.encode(write_peaks(sample, path.with_suffix(".fa")), self.folder.name, "0.9,0.1,0", path)
        return path

    def encode(self, positives: Path, factor: str, split: str, path: Path) -> None:
        given = ("--factor", factor, "--split", split, "--seed", self.options.seed)
        tfbind("encode", "--positives", positives, *given, "-o", path)

    def source(self, sets: list[Set]) -> Path:
        """Train the model of the other sets."""
        model = self.work / "others.keras"
        if not model.exists():
            pooled: dict[str, str] = {}
            for other in sets:
                if other.folder != self.folder:
                    rng = random.Random(self.options.seed)
                    some = draw(without_overlaps(other.peaks, self.test), self.options.source_peaks, rng)
                    pooled |= {f"{other.folder.name}.{name}": sequence for name, sequence in some.items()}
            fasta = write_peaks(pooled, self.work / "others.fa")
            self.encode(fasta, "others", "0.9,0.1,0", self.work / "others.h5")
            self.train(self.work / "others.h5", model, *self.options.source_train)
        return model

    def train(self, tensors: Path, model: Path, *arguments: object) -> None:
        options = self.options
        common = ("--threads", options.threads, "--resume")
        tfbind("train", tensors, *common, *arguments, "-o", model)

    def run(self, arm: str, sets: list[Set]) -> dict[str, object]:
        """Train and judge one arm; give its row of the table."""
        options, (how, n_peaks) = self.options, arm.split("-")
        given = {"scratch": options.train, "started": options.started_train, "ensemble": options.train}[how]
        settings = {
            "judge": options.judge,
            "seed": options.seed,
            "train": " ".join(given),
            "source": f"{options.source_peaks} {' '.join(options.source_train)}" if how == "started" else "",
            "seeds": options.seeds if how == "ensemble" else 1,
        }
        result = self.work / f"{arm}{options.name}.json"
        if result.exists():
            row = json.loads(result.read_text())
            if {name: row[name] for name in settings} != settings:
                sys.exit(
                    f"{result}: found a run with other settings than {settings}: choose another -o or --name"
                )
            return row
        model = self.work / f"{arm}{options.name}.keras"
        arguments = [*given, *(("--seeds", options.seeds) if how == "ensemble" else ("--seed", options.seed))]
        if how == "started":
            arguments += ["--start", self.source(sets)]
        tensors = self.tensors(int(n_peaks))
        began = time.monotonic()
        self.train(tensors, model, *arguments)
        seconds = time.monotonic() - began
        if options.judge == "test":
            judges = [f"--{one}={self.folder}/test.{one[:3]}.fa.gz" for one in ("positives", "negatives")]
        else:
            of_judges = self.work / "judges.h5"
            if not of_judges.exists():
                fasta = write_peaks(self.test, self.work / "judges.fa")
                self.encode(fasta, self.folder.name, "0.01,0,0.99", of_judges)
            judges = ["--tensors", of_judges]
        output = self.work / f"{arm}{options.name}"
        tfbind("evaluate", "--model", model, *judges, "-o", output)
        (metrics,) = json.loads((output / "metrics.json").read_text()).values()
        measured = {name: metrics[name] for name in ("auroc", "auprc", "brier", "ece", "n_seen")}
        row = {"set": self.folder.name, "arm": arm, "name": options.name, **settings, **measured}
        row["seconds"] = round(seconds, 1)
        result.write_text(json.dumps(row))
        print("\t".join(map(str, row.values())), file=sys.stderr, flush=True)
        return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--arms", nargs="+", required=True)
    parser.add_argument("--judge", choices=("training", "test"), default="training")
    parser.add_argument("--others", nargs="*", type=Path, help="more sets for the models to start from")
    parser.add_argument(
        "--source-peaks", type=int, default=2_500, help="of each other set (default %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=5, help="members of an ensemble (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=1, help="sets side by side")
    parser.add_argument("--threads", type=int, default=1, help="of one run")
    parser.add_argument("--name", default="", help="tells runs of other settings apart")
    for option, whose in (("train", "all"), ("started-train", "started"), ("source-train", "source")):
        parser.add_argument(
            f"--{option}",
            nargs="*",
            default=[],
            help=f"more arguments for tfbind train of {whose} models, without the dashes",
        )
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    for option in ("train", "started_train", "source_train"):
        words = getattr(options, option)
        setattr(options, option, [word if i % 2 else f"--{word}" for i, word in enumerate(words)])
    options.started_train = [*options.train, *options.started_train]
    sets = [Set(folder, options) for folder in options.folders]
    sources = [*sets, *(Set(folder, options) for folder in options.others or [])]
    with ThreadPoolExecutor(options.jobs) as pool:
        of_sets = pool.map(lambda one: [one.run(arm, sources) for arm in options.arms], sets)
        table = pd.DataFrame([row for rows in of_sets for row in rows])
    table.to_csv(options.output / f"table{options.name}.tsv", sep="\t", index=False)
    print(table.pivot(index="set", columns="arm", values="auroc").round(4).to_string())
    summary = table.groupby("arm", sort=False)[["auroc", "auprc", "brier", "ece", "seconds"]]
    print(summary.aggregate(np.mean).round(4).to_string())


if __name__ == "__main__":
    main()
