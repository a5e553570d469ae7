"""Sequences with planted binding sites in a Markov background, and the truth about them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from tfbind.dna.alphabet import ALPHABET
from tfbind.dna.matrices import Matrix
from tfbind.errors import TfbindError
from tfbind.files import whole_folder

# of the human genome (International Human Genome Sequencing Consortium 2001, Nature 409:860)
GC_CONTENT = 0.41
CPG_RATIO = 0.2
# one more site, spread over the four letters, so that no letter is impossible
PSEUDOCOUNT = 0.25
BLOCK_RECORDS = 50_000

_LETTERS = np.frombuffer(ALPHABET.encode(), np.uint8)
_C, _G = 1, 2


def dinucleotide_frequencies(gc: float = GC_CONTENT, cpg_ratio: float = CPG_RATIO) -> np.ndarray:
    """Frequencies of the dinucleotides of the background: both strands alike, and CpG as rare as asked.

    The other fifteen are as independent as that allows (maximum entropy, by iterative proportional fitting,
    Deming & Stephan 1940, Ann. Math. Stat. 11:427).

    Parameters
    ----------
    gc : float
        G+C content, above 0 and below 1.
    cpg_ratio : float
        Observed over expected CpG, f(CG) / (f(C) f(G)): 1 where neighbours are independent.

    Returns
    -------
    (4, 4) float64
        ``[first, second]`` in the order A, C, G, T; sums to 1.

    Raises
    ------
    TfbindError
        If a value is out of range, or more CpG is asked for than there are C and G.
    """
    if not 0 < gc < 1:
        raise TfbindError(f"G+C content: found {gc}, expected a number above 0 and below 1")
    if not 0 <= cpg_ratio < 2 / gc:
        raise TfbindError(
            f"CpG ratio: found {cpg_ratio}, expected 0 to below {2 / gc:.3g}, the most at G+C content {gc}"
        )
    base = np.array([1 - gc, gc, gc, 1 - gc]) / 2
    cpg = cpg_ratio * base[_C] * base[_G]
    pairs = np.outer(base, base)
    pairs[_C, _G] = 0
    first, second = base.copy(), base.copy()
    first[_C] -= cpg
    second[_G] -= cpg
    for _ in range(1000):
        before = pairs
        pairs = pairs * (first / pairs.sum(axis=1))[:, None]
        pairs = pairs * (second / pairs.sum(axis=0))
        if np.abs(pairs - before).max() < 1e-15:
            break
    pairs[_C, _G] = cpg
    return pairs


def background(rng: np.random.Generator, n: int, length: int, pairs: np.ndarray) -> np.ndarray:
    """Draw sequences from a first-order Markov chain.

    Parameters
    ----------
    n, length : int
        How many sequences of how many bases.
    pairs : (4, 4) float64
        From `dinucleotide_frequencies`.

    Returns
    -------
    (n, length) uint8
        Codes, A=0, C=1, G=2, T=3.
    """
    base = pairs.sum(axis=1)
    below = np.cumsum(pairs / base[:, None], axis=1)[:, :3]
    codes = np.empty((length, n), np.uint8)
    codes[0] = np.searchsorted(np.cumsum(base)[:3], rng.random(n), side="right")
    for position in range(1, length):
        codes[position] = (rng.random(n)[:, None] >= below[codes[position - 1]]).sum(axis=1)
    return codes.T.copy()


def draw_sites(rng: np.random.Generator, n: int, matrix: Matrix) -> np.ndarray:
    """Draw binding sites, each letter on its own from its position of the matrix: (n, width) uint8 codes."""
    counts = matrix.counts + PSEUDOCOUNT
    below = np.cumsum(counts / counts.sum(axis=1, keepdims=True), axis=1)[:, :3]
    return (rng.random((n, len(counts), 1)) >= below).sum(axis=2).astype(np.uint8)


def plant_sites(rng: np.random.Generator, codes: np.ndarray, matrix: Matrix) -> tuple[np.ndarray, np.ndarray]:
    """Plant one site in every sequence, in place, at any position and on either strand alike.

    Parameters
    ----------
    codes : (n, length) uint8
        Changed in place.

    Returns
    -------
    start : (n,) int64
        0-based start of each site.
    is_reverse : (n,) bool
        Whether it reads on the minus strand.
    """
    sites = draw_sites(rng, len(codes), matrix)
    is_reverse = rng.random(len(codes)) < 0.5
    sites[is_reverse] = 3 - sites[is_reverse, ::-1]
    width = sites.shape[1]
    start = rng.integers(0, codes.shape[1] - width, len(codes), endpoint=True)
    codes[np.arange(len(codes))[:, None], start[:, None] + np.arange(width)] = sites
    return start, is_reverse


def write_simulation(
    matrix: Matrix,
    n: int,
    length: int,
    output: Path,
    seed: int = 0,
    fraction: float = 1.0,
    gc: float = GC_CONTENT,
    cpg_ratio: float = CPG_RATIO,
) -> None:
    """Write ``positives.fa``, ``negatives.fa`` and ``truth.bed`` into a folder.

    Parameters
    ----------
    matrix : Matrix
        Of the sites. One is planted in a positive; negatives are background alone.
    n : int
        Positives, and as many negatives; named ``NAME_positive_1`` and so on, each one line of sequence.
    length : int
        Bases of each, at least the matrix's width.
    output : Path
        The folder. ``truth.bed`` holds a line a site: record, 0-based start, end, the matrix's identifier, 0
        and the strand.
    seed : int
        Same seed, same sequences.
    fraction : float
        Share of the positives that get a site, 0 to 1; which ones is drawn. The others stand for what an
        experiment calls bound though it holds no site of this matrix.
    gc, cpg_ratio : float
        Of the background, see `dinucleotide_frequencies`.

    Raises
    ------
    TfbindError
        If the length is shorter than the matrix, or a number is out of range.
    """
    width = len(matrix.counts)
    if length < width:
        raise TfbindError(
            f"length: found {length}, expected at least {width}, the width of {matrix.id} ({matrix.name})"
        )
    if not 0 <= fraction <= 1:
        raise TfbindError(f"fraction: found {fraction}, expected 0 to 1")
    pairs = dinucleotide_frequencies(gc, cpg_ratio)
    # streams of their own: the negatives do not depend on what is planted in the positives
    for_positives, for_negatives = (np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(2))
    bound = np.zeros(n, bool)
    bound[for_positives.permutation(n)[: round(fraction * n)]] = True

    with ExitStack() as stack:
        folder = stack.enter_context(whole_folder(output))
        positives, negatives, truth = (
            stack.enter_context(open(folder / name, "w", newline="\n"))
            for name in ("positives.fa", "negatives.fa", "truth.bed")
        )
        for first in range(0, n, BLOCK_RECORDS):
            size = min(BLOCK_RECORDS, n - first)
            numbers = range(first + 1, first + size + 1)
            names = [f"{matrix.name}_positive_{number}" for number in numbers]
            codes = background(for_positives, size, length, pairs)
            planted = np.flatnonzero(bound[first : first + size])
            with_sites = codes[planted]
            start, is_reverse = plant_sites(for_positives, with_sites, matrix)
            codes[planted] = with_sites
            positives.write(_fasta(names, codes))
            truth.writelines(
                f"{names[record]}\t{at}\t{at + width}\t{matrix.id}\t0\t{'-' if reverse else '+'}\n"
                for record, at, reverse in zip(planted, start, is_reverse, strict=True)
            )
            names = [f"{matrix.name}_negative_{number}" for number in numbers]
            negatives.write(_fasta(names, background(for_negatives, size, length, pairs)))


def _fasta(names: list[str], codes: np.ndarray) -> str:
    text, length = _LETTERS[codes].tobytes().decode(), codes.shape[1]
    return "".join(f">{name}\n{text[i * length : (i + 1) * length]}\n" for i, name in enumerate(names))
