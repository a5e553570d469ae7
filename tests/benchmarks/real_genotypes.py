"""Maps of the genotypes that people have: the same simulated chromosomes, written in the ways met in real files.

    python tests/benchmarks/real_genotypes.py [--replicates 8] [--only NAME,...] [-o TABLE.tsv]

For each way: predicted over true genetic length (mean and range over replicates), and the share of windows of 100 kb
whose 95% interval holds the true rate. 2 Mb, Ne 10,000, r = mu = 1e-8 in a landscape with hotspots. What a
way returns is stated of the ploidies.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

import msprime
import numpy as np
import pandas as pd

from tfbind.genotypes.mask import read_mask
from tfbind.genotypes.ploidy import Ploidies, read_ploidies
from tfbind.recombination.mapping.prediction import predict_map
from tfbind.recombination.mapping.rate_model import load_rate_model

LENGTH, MU, NE, SCALE = 2_000_000, 1e-8, 1e4, 100_000
PAR = 300_000
BASES = np.array(list("ACGT"))


def landscape(rng: np.random.Generator) -> msprime.RateMap:
    """Hotspots of 2 kb each 50 kb or so, with two thirds of a mean rate of 1e-8."""
    starts = np.sort(rng.choice(np.arange(10, LENGTH // 1000 - 10), 40, replace=False)) * 1000
    starts = starts[np.append(True, np.diff(starts) > 4000)]
    edges = np.unique(np.concatenate([[0, LENGTH], starts, starts + 2000]))
    rate = np.where(np.isin(edges[:-1], starts), rng.lognormal(0, 0.7, len(edges) - 1) * 20, 0.4)
    rate *= 1e-8 / np.average(rate, weights=np.diff(edges))
    return msprime.RateMap(position=edges, rate=rate)


def simulate(n_haplotypes: int, seed: int, f: float = 0.0) -> tuple[np.ndarray, np.ndarray, msprime.RateMap]:
    """Positions (sites,), haplotypes (sites, haplotypes) int8 and the true rates.

    Selfing scales the coalescent's size by 1 / (1 + F) and its recombination by 1 - F (Nordborg 2000).
    """
    rates = landscape(np.random.default_rng(seed))
    effective = msprime.RateMap(position=rates.position, rate=rates.rate * (1 - f))
    trees = msprime.sim_ancestry(
        samples=[msprime.SampleSet(n_haplotypes, ploidy=1)],
        population_size=2 * NE / (1 + f),
        recombination_rate=effective,
        ploidy=1,
        random_seed=seed + 1,
    )
    trees = msprime.sim_mutations(trees, rate=MU, model=msprime.BinaryMutationModel(), random_seed=seed + 1)
    return trees.tables.sites.position.astype(np.int64), trees.genotype_matrix().astype(np.int8), rates


def write(path: Path, positions, calls, *, alts=None, layout="GT", contig="1") -> None:
    """Write a VCF whose calls are texts: (sites, samples); ``alts`` a list of the ALT column."""
    with open(path, "w") as lines:
        names = "\t".join(f"s{i}" for i in range(len(calls[0])))
        lines.write(
            f"##fileformat=VCFv4.2\n##contig=<ID={contig}>\n"
            f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n"
        )
        for i, (at, row) in enumerate(zip(positions, calls, strict=True)):
            alt = "C" if alts is None else alts[i]
            lines.write(f"{contig}\t{at + 1}\t.\tA\t{alt}\t.\tPASS\t.\t{layout}\t" + "\t".join(row) + "\n")


def haploid(h):
    return h.astype(str)


def pairs(h, separator):
    first, second = h[:, ::2].astype(str), h[:, 1::2].astype(str)
    return np.char.add(np.char.add(first, separator), second)


def lines(h, stray, rng):
    texts = np.char.add(np.char.add(h.astype(str), "/"), h.astype(str))
    return np.where(rng.random(h.shape) < stray, "0/1", texts)


def in_sets(positions, h, size, rng):
    """Phase that is right inside of stretches of ``size`` bp and drawn anew in each."""
    number = positions // size
    flip = rng.random((number.max() + 1, h.shape[1] // 2)) < 0.5
    first, second = h[:, ::2], h[:, 1::2]
    one = np.where(flip[number], second, first).astype(str)
    two = np.where(flip[number], first, second).astype(str)
    return np.char.add(
        np.char.add(np.char.add(np.char.add(one, "|"), two), ":"), (number[:, None] * size + 1).astype(str)
    )


def drop(h, share, rng):
    """Sites that a second mutation on one chromosome makes triallelic, whatever their frequency."""
    is_third = rng.random(len(h)) < share
    texts = h.astype(str)
    texts[np.flatnonzero(is_third), rng.integers(0, h.shape[1], is_third.sum())] = "2"
    return texts, ["C,G" if third else "C" for third in is_third]


WAYS: dict[str, tuple[int, Callable]] = {}


def way(name: str, n_haplotypes: int):
    def add(function):
        WAYS[name] = (n_haplotypes, function)
        return function

    return add


@way("haploid", 20)
def _(path, positions, h, rng):
    write(path, positions, haploid(h))


@way("inbred lines 0/0", 20)
def _(path, positions, h, rng):
    write(path, positions, lines(h, 0, rng))


@way("inbred lines, 1% stray", 20)
def _(path, positions, h, rng):
    write(path, positions, lines(h, 0.01, rng))


@way("phased diploids", 40)
def _(path, positions, h, rng):
    write(path, positions, pairs(h, "|"))


@way("unphased diploids", 40)
def _(path, positions, h, rng):
    write(path, positions, pairs(h, "/"))


for size in (10_000, 50_000, 200_000):

    @way(f"phase sets of {size // 1000} kb", 40)
    def _(path, positions, h, rng, size=size):
        write(path, positions, in_sets(positions, h, size, rng), layout="GT:PS")


@way("X: 20 males, 10 unphased females", 40)
def _(path, positions, h, rng):
    calls = np.concatenate([haploid(h[:, :20]), pairs(h[:, 20:], "/")], axis=1)
    write(path, positions, calls)


@way("X: 10 males, 20 unphased females", 50)
def _(path, positions, h, rng):
    calls = np.concatenate([haploid(h[:, :10]), pairs(h[:, 10:], "/")], axis=1)
    write(path, positions, calls)


@way("X: males written 0/0", 40)
def _(path, positions, h, rng):
    calls = np.concatenate([lines(h[:, :20], 0, rng), pairs(h[:, 20:], "|")], axis=1)
    write(path, positions, calls)


def with_par(path, positions, h):
    """Twenty males, whose X is written as homozygous outside of the PAR, and females, all without phase."""
    calls = pairs(h, "/")
    outside = positions >= PAR
    calls[outside, :20] = lines(h[outside, :40:2], 0, np.random.default_rng(0))
    write(path, positions, calls, contig="X")


@way("X with PAR, 20 females: nothing stated", 80)
def _(path, positions, h, rng):
    with_par(path, positions, h)


def stated_by_par(path, positions, h, rng):
    with_par(path, positions, h)
    bed = path.with_name("par.bed")
    bed.write_text(f"X\t0\t{PAR}\n")
    return Ploidies(par=read_mask(bed))


def stated_by_file(path, positions, h, rng):
    with_par(path, positions, h)
    table = path.with_name("ploidies.txt")
    table.write_text(f"X {PAR + 1} {LENGTH} M 1\n" + "".join(f"s{i} M\n" for i in range(20)))
    return Ploidies(read_ploidies(table))


way("X with PAR, 20 females: --par", 80)(stated_by_par)
way("X with PAR, 20 females: --ploidy FILE", 80)(stated_by_file)
way("X with PAR, 30 females: --par", 100)(stated_by_par)
way("X with PAR, 30 females: --ploidy FILE", 100)(stated_by_file)


@way("ALT C,* C,<NON_REF>", 20)
def _(path, positions, h, rng):
    write(path, positions, haploid(h), alts=rng.choice(["C,*", "C,<NON_REF>", "C,<*>", "C"], len(positions)))


for share in (0.1, 0.3):

    @way(f"{share:.0%} of sites multiallelic", 20)
    def _(path, positions, h, rng, share=share):
        texts, alts = drop(h, share, rng)
        write(path, positions, texts, alts=alts)


@way("1% of records name an absent allele", 20)
def _(path, positions, h, rng):
    texts = haploid(h)
    texts[rng.random(len(h)) < 0.01, 3] = "2"
    write(path, positions, texts)


@way("600 haplotypes", 600)
def _(path, positions, h, rng):
    write(path, positions, haploid(h))


def by_descent(h, f, rng):
    """The second chromosome of each sample copies the first over stretches that make up a share ``f`` of it."""
    second = h[:, 1::2].copy()
    for sample in range(second.shape[1]):
        state, at = rng.random() < f, 0
        while at < len(h):
            length = 1 + int(rng.exponential(200))
            if state:
                second[at : at + length, sample] = h[at : at + length, 2 * sample]
            at += length
            state = rng.random() < f
    both = h.copy()
    both[:, 1::2] = second
    return both


for f in (0.33, 0.8, 0.94):

    @way(f"selfing, F {f}, unphased", 40)
    def _(path, positions, h, rng, f=f):
        write(path, positions, pairs(by_descent(h, f, rng), "/"))


def measure(table: pd.DataFrame, rates: msprime.RateMap) -> tuple[float, float]:
    """Predicted over true length, and coverage."""
    known = table.dropna(subset=["rate"])
    if not len(known):
        return float("nan"), float("nan")
    mass = rates.get_cumulative_mass(np.stack([known["start"], known["end"]]).astype(float))
    truth = mass[1] - mass[0]
    width = (known["end"] - known["start"]).to_numpy()
    length = float((known["rate"] * width).sum() / truth.sum())
    true_rate = truth / width
    inside = (known["rate_lower"] <= true_rate) & (true_rate <= known["rate_upper"])
    return length, float(inside[width == SCALE].mean())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=8)
    parser.add_argument("--only", default="")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    logging.getLogger("tfbind").setLevel(logging.ERROR)
    model = load_rate_model()
    rows = []
    for name, (n_haplotypes, function) in WAYS.items():
        if args.only and not any(word in name for word in args.only.split(",")):
            continue
        found = []
        for replicate in range(args.replicates):
            seed = 77_000 + 10 * replicate
            f = float(name.split("F ")[1].split(",")[0]) if "selfing" in name else 0.0
            positions, haplotypes, rates = simulate(n_haplotypes, seed, f)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "x.vcf"
                ploidies = function(path, positions, haplotypes, np.random.default_rng(seed))
                try:
                    table = predict_map(
                        path,
                        model,
                        (SCALE,),
                        mutation_rate=MU,
                        inbreeding="auto" if f else None,
                        ploidies=ploidies,
                    ).table
                    found.append(measure(table, rates))
                except Exception as error:
                    found.append((float("nan"), float("nan")))
                    print(name, type(error).__name__, str(error)[:100])
        length, coverage = np.array(found).T
        rows.append((name, np.nanmean(length), np.nanmin(length), np.nanmax(length), np.nanmean(coverage)))
        print("{:40s} length {:.2f} ({:.2f} to {:.2f}), coverage {:.2f}".format(*rows[-1]), flush=True)
    if args.output:
        pd.DataFrame(rows, columns=["way", "length", "lowest", "highest", "coverage"]).to_csv(
            args.output, sep="\t", index=False
        )


if __name__ == "__main__":
    main()
