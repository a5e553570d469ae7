"""Measure bulk prediction, in processes of its own, and write a table: how fast it is, and in how much memory.

    python tests/benchmarks/prediction.py model.keras genome.fa.gz -o out
    python tests/benchmarks/prediction.py model.keras genome.fa.gz --bases 200000 --dense-bases 20000 \
        --records 1000 10000 --variants 1000 -o out                                     a minute, to try it

The genome is scored at stride 25 and its beginning at stride 1, by each engine; then separate records of the model's
length in two numbers (memory is to be flat), SNVs, and one record alone (what it takes to start). With --repeats the
rows are gone through so often, and the fastest run of each counts. The share of the peak is the network's own additions
and multiplications a second, as if no two windows had any in common, over those of a float32 matrix product on as many
threads, the fastest that was seen between the runs, both by the wall clock; the evidence tracks' are not counted.
Where others use the processor, too, cpu_s and times_keras_cpu tell more than the wall clock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tfbind.binding.model.card import read_card
from tfbind.binding.scanning.windows import count_windows
from tfbind.dna.fasta import read_fasta

ENGINES = (("openvino", "f32"), ("openvino", "bf16"), ("keras", "f32"))


@dataclass
class Measured:
    """What one process took; memory is the most that it held, in MB of 10^6 bytes."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output_bytes: int


def measure(verb: str, model: Path, output: Path, *arguments: object, threads: int) -> Measured:
    """Run one verb from start to end; its messages go to a log beside its output."""
    command = [sys.executable, "-m", "tfbind", verb, "--model", str(model), *map(str, arguments)]
    command += ["--threads", str(threads), "-o", str(output)]
    with open(f"{output}.log", "w") as log:
        start = time.monotonic()
        process = subprocess.Popen(command, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed, see {output}.log")
    size = output.stat().st_size
    return Measured(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6, size)


def write_fasta(path: Path, records: Iterable[tuple[str, str]]) -> Path:
    with open(path, "w") as handle:
        handle.writelines(f">{name}\n{sequence}\n" for name, sequence in records)
    return path


def random_records(n: int, length: int, seed: int) -> Iterable[tuple[str, str]]:
    rng = np.random.default_rng(seed)
    for number in range(n):
        yield f"record_{number}", rng.choice(np.frombuffer(b"ACGT", "S1"), length).tobytes().decode()


def write_variants(path: Path, name: str, sequence: str, n: int) -> Path:
    """Write SNVs at random places, with the REF that stands there."""
    rng = np.random.default_rng(0)
    places = np.sort(rng.choice(len(sequence), n, replace=n > len(sequence))).tolist()
    others = {base: "ACGT".replace(base, "") for base in "ACGT"}
    with open(path, "w") as handle:
        handle.write(f"##fileformat=VCFv4.2\n##contig=<ID={name},length={len(sequence)}>\n")
        handle.write("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for at, pick in zip(places, rng.integers(3, size=n).tolist(), strict=True):
            ref = sequence[at].upper()
            if ref in others:
                handle.write(f"{name}\t{at + 1}\t.\t{ref}\t{others[ref][pick]}\t.\t.\t.\n")
    return path


def peak_flops(threads: int, size: int = 2048, repeats: int = 5) -> float:
    """Additions and multiplications a second of a float32 matrix product, the faster of OpenVINO's and NumPy's."""
    import openvino as ov
    from openvino import opset15 as op
    from threadpoolctl import threadpool_limits

    one, other = (np.random.default_rng(seed).random((size, size), np.float32) for seed in (1, 2))
    parameters = [op.parameter([size, size], np.float32) for _ in range(2)]
    graph = ov.Model([op.matmul(*parameters, False, False)], parameters)
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads}
    request = ov.Core().compile_model(graph, "CPU", options).create_infer_request()
    seconds = []
    with threadpool_limits(threads):
        for product in (partial(request.infer, [one, other]), partial(np.matmul, one, other)):
            for _ in range(repeats + 1):
                start = time.monotonic()
                product()
                seconds.append(time.monotonic() - start)
    return 2 * size**3 / min(seconds)


def flops_of(model: Path) -> float:
    """Additions and multiplications of one window, both strands; those of products of matrices alone."""
    from tfbind.binding.model.card import read_card
    from tfbind.inference.graph import build_graph
    from tfbind.networks.outlines import binding_outline
    from tfbind.training.stored_network import read_network

    outline = binding_outline(read_card(model).network)
    graph = build_graph(*read_network(model, outline), unpadded=True)
    graph.reshape({x: [1, *list(x.get_partial_shape())[1:]] for x in graph.inputs})

    def size(one: Any) -> int:
        return int(np.prod(list(one.get_shape())))

    total = 0
    for node in graph.get_ordered_ops():
        kind = node.get_type_name()
        if kind == "MatMul":
            # the dimension that is summed over
            at = -1 if node.get_attributes()["transpose_b"] else -2
            total += size(node.output(0)) * list(node.input(1).get_shape())[at]
        elif kind == "Convolution":
            filters = node.input(1).get_shape()[0]
            total += size(node.output(0)) * size(node.input(1)) // filters
        elif kind in ("LSTMSequence", "GRUSequence", "RNNSequence"):
            strands, steps, _ = list(node.input(0).get_shape())
            weights = 4 if kind == "LSTMSequence" else 3
            total += strands * steps * (size(node.input(weights)) + size(node.input(weights + 1)))
    return 2.0 * total


@dataclass
class Run:
    """What is measured; ``n`` is how many windows, records or alleles that is."""

    what: str
    engine: str
    precision: str
    n: int
    verb: str
    arguments: list[object]
    output: Path


def list_runs(options: argparse.Namespace) -> list[Run]:
    """Make the inputs, and give the runs."""
    work, model = options.output, options.model
    length = read_card(model).encoding.length
    name, sequence = next(iter(read_fasta(options.genome)))
    inputs = []
    for stride, n_bases in ((25, options.bases), (1, options.dense_bases)):
        bases = sequence[:n_bases]
        fasta = write_fasta(work / f"stride_{stride}.fa", [(name, bases)])
        what = f"{len(bases):,} bp at stride {stride}"
        inputs.append((what, fasta, ["--stride", stride], count_windows(len(bases), length, stride), ENGINES))
    for n in (*options.records, 1):
        fasta = write_fasta(work / f"{n}_records.fa", random_records(n, length, seed=n))
        inputs.append((f"{n:,} records of {length} bp", fasta, [], n, ENGINES[:1]))
    runs = []
    for what, fasta, arguments, n, engines in inputs:
        for engine, precision in engines:
            given = ["--fasta", fasta, *arguments, "--engine", engine, "--precision", precision]
            output = work / f"{fasta.stem}.{engine}.{precision}.tsv.gz"
            runs.append(Run(what, engine, precision, n, "predict", given, output))
    vcf = write_variants(work / "variants.vcf", name, sequence, options.variants)
    given = ["--vcf", vcf, "--genome", write_fasta(work / "genome.fa", [(name, sequence)])]
    n, output = options.variants, work / "effects.tsv.gz"
    runs.append(Run(f"{n:,} SNVs", "openvino", "f32", n, "variants", given, output))
    return runs


def measure_all(options: argparse.Namespace) -> tuple[pd.DataFrame, float]:
    """Give a row for the fastest of each run's repetitions, and the highest peak that was seen."""
    runs, peaks = list_runs(options), []
    found: list[list[Measured]] = [[] for _ in runs]
    for _ in range(options.repeats):
        for run, so_far in zip(runs, found, strict=True):
            # in another process, as what this one holds would count as its children's
            with get_context("spawn").Pool(1) as pool:
                peaks.append(pool.apply(peak_flops, (options.threads,)))
            one = measure(run.verb, options.model, run.output, *run.arguments, threads=options.threads)
            so_far.append(one)
            print(run.what, run.engine, run.precision, one, f"{peaks[-1]:.3g}", file=sys.stderr, flush=True)
    rows = []
    for run, so_far in zip(runs, found, strict=True):
        best = min(so_far, key=lambda one: one.wall_s)
        row = {"what": run.what, "engine": run.engine, "precision": run.precision, "n": run.n}
        rows.append(row | {"per_s": run.n / best.wall_s} | vars(best))
    return pd.DataFrame(rows), max(peaks)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("model", type=Path, help="from tfbind train")
    parser.add_argument("genome", type=Path, help="FASTA; its first contig is used")
    parser.add_argument("--bases", type=int, help="score so many at stride 25 (default: all)")
    parser.add_argument("--dense-bases", type=int, default=500_000, help="score so many at stride 1")
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--variants", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    table, peak = measure_all(options)
    flops = flops_of(options.model)
    keras = table[table["engine"] == "keras"].set_index("what")
    table["times_keras"] = table["what"].map(keras["wall_s"]) / table["wall_s"]
    table["times_keras_cpu"] = table["what"].map(keras["cpu_s"]) / table["cpu_s"]
    of_network = table["what"].str.contains("stride|records") & (table["n"] > 1)
    table["share_of_peak"] = (table["per_s"] * flops / peak).where(of_network)
    table.to_csv(options.output / "prediction.tsv", sep="\t", index=False)
    print(table.round(3).to_string(index=False))
    print(f"a window takes {flops / 1e6:.2f} MFLOP; the peak is {peak / 1e9:.1f} GFLOP/s")


if __name__ == "__main__":
    main()
