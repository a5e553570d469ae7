"""A small case of every verb that writes, in one folder: its inputs and its command."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

import numpy as np

SITE = "TGACGTCA"
BASES = list("ACGT")
SMALL_NETWORK = "--units 4 --epochs 3 --batch-size 32 --seed 1"

# Verbs by name, each with options that have it write all it can. What makes the inputs of others comes first.
# "{resume}" becomes nothing, or a way to resume.
COMMANDS = {
    "simulate": "simulate --n 400 --length 60 --motif CTCF --seed 1 -o out",
    "encode": "encode --positives positives.fa --negatives negatives.fa --length 60 -o out.h5",
    "encode peaks": "encode --peaks peaks.bed --genome genome.fa --length 60 --folds 3 -o out.h5",
    "encode shuffles": "encode --positives positives.fa --encoding kmer --k 3 --length 60 -o out.h5",
    "train": f"train given.h5 --architecture conv-bigru {SMALL_NETWORK} {{resume}} --threads 1 -o out.keras",
    "train gkm": "train given.h5 --architecture gkm-linear --epochs 2 {resume} --threads 1 -o out.keras",
    "train seeds": "train given.h5 --architecture conv-bigru --units 4 --epochs 3 --batch-size 32 --seeds 3,4 {resume}"
    " --threads 1 -o out.keras",
    "calibrate": "calibrate --model sites.keras --tensors contigs.h5 --peaks peaks.bed --genome genome.fa --threads 1"
    " -o out.keras",
    "select": "select one.keras two.keras -o out.keras",
    "predict": "predict --model one.keras --fasta genome.fa --stride 20 --bed out.bed --bigwig out.bw {resume}"
    " --threads 1 -o out.tsv.gz",
    "predict peaks": "predict --model one.keras --peaks peaks.bed --genome genome.fa {resume} --threads 1 -o out.tsv",
    "variants": "variants --model one.keras --genome genome.fa --vcf variants.vcf --threads 1 -o out.tsv.gz",
    "predict sites": "predict --model one.keras --fasta genome.fa --sites out.bed {resume} --threads 1 -o out.tsv.gz",
    "evaluate": "evaluate --model one.keras --tensors given.h5 --threads 1 -o out",
    "evaluate genome": "evaluate --model sites.keras --tensors contigs.h5 --peaks peaks.bed --genome genome.fa"
    " --threads 1 -o out",
    "interpret": "interpret --model one.keras --tensors given.h5 --no-motifs --npz --threads 1 -o out",
    "diagnose": "diagnose given.h5 --architecture conv-bigru --units 4 --threads 1 -o out",
    "gather": "gather fold1 fold2 fold3 -o out",
    "gather pieces": "gather piece1.tsv.gz piece2.tsv.gz -o out.tsv.gz",
    "compare": "compare results/evaluation/A.one results/evaluation/A.two -o out.tsv",
    "report": "report results -o out.html",
    "background fit": "background fit genome.fa --units 3 --epochs 2 --window 50 --batch-size 100 {resume}"
    " --threads 1 -o out.keras",
    "background sample": "background sample bg.keras --n 300 --length 60 --threads 1 -o out.fa",
    "recombination simulate": "recombination simulate --length 20000 --replicates 6 --seed 1 --vcf-dir out {resume}"
    " --threads 1 -o out.h5",
    "recombination simulate, 2 threads": "recombination simulate --length 200000 --replicates 12 --seed 1 {resume}"
    " --threads 2 -o out.h5",
    "recombination train": "recombination train sims.h5 --units 4 --epochs 2 --batch-size 8 {resume} --threads 1"
    " -o out.keras",
    "recombination calibrate": "recombination calibrate sims.h5 --threads 1 -o out.keras",
    "recombination predict": "recombination predict --vcf vcf/sim1.vcf.gz --mutation-rate 1e-8 --resolution 1000,5000"
    " --hapmap out --bedgraph out.bg --hotspots out.bed --notes out.json --threads 1 -o out.tsv",
    "recombination evaluate": "recombination evaluate --map map.tsv --truth truth.txt --scales 10000,50000 -o out",
    "recombination compare": "recombination compare --maps map.tsv other.tsv --truth truth.txt --scales 10000"
    " -o out.tsv",
    "recombination enrichment": "recombination enrichment --map map.tsv --sites sites.bed --permutations 50 -o out",
    "recombination convert": "recombination convert truth.txt --to plink -o out.map",
}

# made by the verbs themselves, in this order
INPUTS = (
    "encode --positives positives.fa --negatives negatives.fa --length 60 -o given.h5",
    "encode --positives positives.fa --length 60 --folds 3 --split 0.8,0.2,0 -o folds.h5",
    f"train given.h5 --architecture conv-bigru {SMALL_NETWORK} --threads 1 -o one.keras",
    f"train given.h5 --architecture conv-bigru {SMALL_NETWORK} --learning-rate 0.01 --threads 1 -o two.keras",
    "encode --peaks peaks.bed --genome genome.fa --length 60 --negative-ratio 2 --validation-contigs chr2"
    " --test-contigs chr3 -o contigs.h5",
    f"train contigs.h5 --architecture conv-bigru {SMALL_NETWORK} --threads 1 -o sites.keras",
    *(
        f"train folds.h5 --architecture conv-bigru {SMALL_NETWORK} --fold {n} --threads 1 -o fold{n}.keras"
        for n in (1, 2, 3)
    ),
    *(f"evaluate --model fold{n}.keras --tensors folds.h5 --threads 1 -o fold{n}" for n in (1, 2, 3)),
    *(
        f"evaluate --model {name}.keras --tensors given.h5 --threads 1 -o results/evaluation/A.{name}"
        for name in ("one", "two")
    ),
    *(
        f"predict --model one.keras --fasta genome.fa --stride 20 --piece {n}/2 --threads 1 -o piece{n}.tsv.gz"
        for n in (1, 2)
    ),
    "background fit genome.fa --units 3 --epochs 1 --window 50 --batch-size 100 --threads 1 -o bg.keras",
    "recombination simulate --length 50000 --replicates 24 --seed 5 --vcf-dir vcf --threads 1 -o sims.h5",
)


def write_texts(folder: Path) -> None:
    """Write the inputs that no verb makes."""
    rng = np.random.default_rng(7)

    def sequence(length: int) -> str:
        return "".join(rng.choice(BASES, length))

    def bound() -> str:
        return sequence(26) + SITE + sequence(26)

    for name, make in (("positives", bound), ("negatives", lambda: sequence(60))):
        (folder / f"{name}.fa").write_text("".join(f">{name}_{n}\n{make()}\n" for n in range(120)))
    contigs = {f"chr{n}": sequence(30_000) for n in (1, 2, 3)}
    (folder / "genome.fa").write_text("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    (folder / "peaks.bed").write_text(
        "".join(f"{name}\t{at}\t{at + 200}\tp{at}\t9\n" for name in contigs for at in range(500, 29_000, 900))
    )
    records = [
        (name, at, contigs[name][at - 1], "ACGT"[("ACGT".index(contigs[name][at - 1]) + 1) % 4])
        for name in contigs
        for at in range(100, 29_000, 150)
    ]
    (folder / "variants.vcf").write_text(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        + "".join(f"{name}\t{at}\t.\t{ref}\t{alt}\t.\t.\t.\n" for name, at, ref, alt in records)
    )
    edges = range(0, 1_000_000, 5_000)
    for name in ("map", "other"):
        rates = rng.lognormal(-18, 0.5, len(edges))
        (folder / f"{name}.tsv").write_text(
            "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\n"
            + "".join(
                f"1\t{at}\t{at + 5_000}\t9\t{rate:.4g}\t{rate / 2:.4g}\t{rate * 2:.4g}\t\n"
                for at, rate in zip(edges, rates, strict=True)
            )
        )
    (folder / "truth.txt").write_text(
        "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n"
        + "".join(
            f"1\t{at + 1}\t{rate:.4f}\t0\n"
            for at, rate in zip(edges, rng.lognormal(0, 0.5, len(edges)), strict=True)
        )
    )
    (folder / "sites.bed").write_text(
        "".join(f"1\t{at}\t{at + 500}\n" for at in range(52_000, 950_000, 40_000))
    )


def ways_to_resume(verb: str) -> list[list[str]]:
    """Give the options by which a verb can be run again after an interruption, none among them."""
    if "{resume}" not in COMMANDS[verb]:
        return [[]]
    return [[], ["--resume"], *([] if "train" in verb or "fit" in verb else [["--resume", "anew"]])]


def command(verb: str, resume: list[str]) -> list[str]:
    """Give the words of a verb's command."""
    words: list[str] = []
    for word in COMMANDS[verb].split():
        words += resume if word == "{resume}" else [word]
    return words


def _outputs(line: str) -> set[str]:
    words = line.split()
    return {word for option, word in pairwise(words) if option in ("-o", "--vcf-dir")}


def needed(verbs: Iterable[str]) -> list[str]:
    """Give the commands, in order, that make what verbs read."""
    read = {word for verb in verbs for word in COMMANDS[verb].split()}
    found: list[str] = []
    for line in reversed(INPUTS):
        if any(
            word == made or word.startswith(f"{made}/") or made.startswith(f"{word}/")
            for made in _outputs(line)
            for word in read
        ):
            found.insert(0, line)
            read |= set(line.split())
    return found


def make_inputs(folder: Path, verbs: Iterable[str], run: Callable[[list[str], Path], int | None]) -> None:
    """Make what verbs read; ``run`` takes the words of a command and the folder that it is run in."""
    write_texts(folder)
    for line in needed(verbs):
        status = run(line.split(), folder)
        if status != 0:
            raise RuntimeError(f"tfbind {line}: ended with {status}")
