"""Measure a scan for sites, in processes of its own: how fast it is from start to end, and if cost per base is flat.

    python tests/benchmarks/scan.py model.keras genome.fa.gz -o out
    python tests/benchmarks/scan.py model.keras genome.fa.gz --mb 0.1 0.2 --keras-mb 0.05 -o out    a minute, to try it

`predict --sites` runs on the genome, by OpenVINO; on the beginning of it, by OpenVINO and by Keras, whose seconds for
the genome are worked out from that; and on sequences of growing length, each one record: the genome's contigs joined,
as often as needed. The time to start is measured with one short record and is not counted per base. If other programs
use the processor, too, CPU seconds say more than the wall clock.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pandas as pd
from prediction import Measured, measure, write_fasta

from tfbind.dna.fasta import read_fasta

MB = 1_000_000
ENGINES = ("openvino", "keras")


def write_bases(path: Path, genome: Path, n_bases: int) -> Path:
    """Write one record of so many bases."""
    letters = (sequence for _, sequence in cycle(list(read_fasta(genome))))
    parts, left = [], n_bases
    while left > 0:
        parts.append(next(letters)[:left])
        left -= len(parts[-1])
    return write_fasta(path, [("joined", "".join(parts))])


def scan(
    model: Path, fasta: Path, name: str, engine: str, options: argparse.Namespace
) -> tuple[Measured, Any]:
    """Scan a FASTA; also give the summary of the sites of the first factor."""
    output = options.output / f"{name}.{engine}.tsv.gz"
    sites = options.output / f"{name}.{engine}.sites.bed"
    given = ["--fasta", fasta, "--sites", sites, "--engine", engine]
    if options.stride:
        given += ["--stride", options.stride]
    found = measure("predict", model, output, *given, threads=options.threads)
    summaries = sorted(options.output.glob(f"{name}.{engine}.sites*.json"))
    return found, json.loads(summaries[0].read_text())


def measure_all(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Give a row for each run."""
    work, genome = options.output, options.genome
    n_bases = sum(len(sequence) for _, sequence in read_fasta(genome))
    start = write_fasta(work / "start.fa", [("one", "ACGTTGCA" * 20)])
    some = write_bases(work / "some.fa", genome, int(options.keras_mb * MB))
    runs = [(start, "start", 0, engine) for engine in ENGINES]
    runs += [(some, "some", int(options.keras_mb * MB), engine) for engine in ENGINES]
    if not options.no_genome:
        runs.append((genome, "genome", n_bases, "openvino"))
    for mb in options.mb:
        n = int(mb * MB)
        runs.append((write_bases(work / f"{mb:g}.fa", genome, n), f"{mb:g}", n, "openvino"))
    starts: dict[str, Measured] = {}
    for fasta, name, n, engine in runs:
        found, summary = scan(options.model, fasta, name, engine, options)
        starts.setdefault(engine, found)
        row = {"what": name, "engine": engine, "mb": n / MB, "stride": summary["stride"]} | vars(found)
        row |= {key: summary[key] for key in ("windows", "windows_to_refine", "sites")}
        if n:
            for kind in ("wall_s", "cpu_s"):
                row[f"{kind}_per_mb"] = (row[kind] - getattr(starts[engine], kind)) / (n / MB)
        print(row, flush=True)
        yield row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("model", type=Path, help="from tfbind train")
    parser.add_argument("genome", type=Path, help="FASTA")
    parser.add_argument(
        "--keras-mb", type=float, default=0.25, help="megabases that Keras scans (default 0.25)"
    )
    parser.add_argument(
        "--mb", type=float, nargs="*", default=[1, 12, 100], help="megabases of the long records"
    )
    parser.add_argument("--no-genome", action="store_true", help="do not scan the genome as it is")
    parser.add_argument(
        "--stride", type=int, help="bases from window to window (default: that of predict --sites)"
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(list(measure_all(options)))
    table.to_csv(options.output / "scan.tsv", sep="\t", index=False)
    print(table.round(3).to_string(index=False))
    some = table[table["what"] == "some"].set_index("engine")
    for kind in ("cpu_s", "wall_s"):
        times = some.loc["keras", f"{kind}_per_mb"] / some.loc["openvino", f"{kind}_per_mb"]
        print(f"{kind}: Keras takes {times:.2f} times as long a base")


if __name__ == "__main__":
    main()
