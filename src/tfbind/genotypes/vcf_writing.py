"""Writing haplotypes as VCF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from Bio.bgzf import BgzfWriter

from tfbind.files import whole_output

# the alleles of a simulated site have no letters of their own
REF, ALT = "A", "G"


def write_vcf(
    path: Path,
    contig: str,
    length: int,
    position: np.ndarray,
    haplotypes: np.ndarray,
    *,
    ploidy: int,
    phased: bool,
    samples: Sequence[str] | None = None,
) -> None:
    """Write a contig's genotypes as VCF 4.2, BGZF.

    Parameters
    ----------
    path : Path
    contig : str
    length : int
        Of the contig, bp.
    position : (sites,) int
        0-based; the file's are 1-based.
    haplotypes : (sites, n) int8
        0 REF, 1 ALT, -1 missing; of diploid samples, columns 2i and 2i+1 are sample i.
    ploidy : 1 or 2
    phased : bool
        Alleles stand apart with ``|``; otherwise with ``/``, the smaller one first.
    samples : sequence of str, optional
        Their names; s1, s2, ... if not given.
    """
    n_samples = haplotypes.shape[1] // ploidy
    samples = samples or [f"s{number}" for number in range(1, n_samples + 1)]
    calls = haplotypes.reshape(len(haplotypes), n_samples, ploidy)
    if not phased:
        calls = np.sort(calls, axis=2)
    text = np.full((len(calls), n_samples, 2 * ploidy), ord("|" if phased else "/"), np.uint8)
    text[..., ::2] = np.frombuffer(b"01.", np.uint8)[calls]
    text[..., -1] = ord("\t")
    text[:, -1, -1] = ord("\n")
    with whole_output(path) as temporary, BgzfWriter(str(temporary), "wb") as handle:
        columns = "\t".join(["#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT".replace(" ", "\t"), *samples])
        handle.write(
            "##fileformat=VCFv4.2\n"
            f"##contig=<ID={contig},length={length}>\n"
            '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
            f"{columns}\n".encode()
        )
        for at, row in zip(position.tolist(), text.reshape(len(text), 2 * haplotypes.shape[1]), strict=True):
            head = f"{contig}\t{at + 1}\t.\t{REF}\t{ALT}\t.\tPASS\t.\tGT\t"
            handle.write(head.encode() + row.tobytes())
