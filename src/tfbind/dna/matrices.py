"""Frequency matrices of binding sites, from JASPAR or from a file.

A few matrices ship with tfbind in ``motifs.jaspar``: JASPAR 2026, CC BY 4.0 (see ``motifs.README.md``).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfbind.dna.alphabet import ALPHABET
from tfbind.errors import TfbindError, require
from tfbind.files import open_text

UNIFORM_BACKGROUND = "Background letter frequencies\nA 0.25 C 0.25 G 0.25 T 0.25"
JASPAR_ID = re.compile(r"[A-Z]{2}\d{4}(\.\d+)?", re.IGNORECASE)


class Matrix(NamedTuple):
    """A position frequency matrix.

    id, name : str
        For example MA0139.2 and CTCF; without white space.
    counts : (width, 4) float64
        How often A, C, G and T stand at each position of the sites that it was made from.
    """

    id: str
    name: str
    counts: np.ndarray


def shipped_matrices() -> list[Matrix]:
    """The matrices that ship with tfbind."""
    text = files("tfbind.dna").joinpath("motifs.jaspar").read_text(encoding="utf-8")
    return _parse(text, "motifs.jaspar")


def find_matrix(motif: str) -> Matrix:
    """Find a matrix by what a user calls it.

    Parameters
    ----------
    motif : str
        In this order: the identifier or factor name of a shipped matrix, in either case; a file in JASPAR or
        MEME format that holds one matrix; any other JASPAR identifier, looked up by pyjaspar.

    Raises
    ------
    TfbindError
        If there is no such matrix, or the file holds none or several or is damaged.
    MissingDependencyError
        If pyjaspar is needed and not installed.
    """
    shipped = shipped_matrices()
    for matrix in shipped:
        if motif.casefold() in (matrix.id.casefold(), matrix.name.casefold()):
            return matrix
    if Path(motif).exists():
        with open_text(motif) as handle:
            found = _parse(handle.read(), motif)
        if len(found) != 1:
            raise TfbindError(f"{motif}: holds {len(found)} matrices, expected one")
        return found[0]
    if JASPAR_ID.fullmatch(motif):
        return _from_pyjaspar(motif.upper())
    known = ", ".join(f"{matrix.id} ({matrix.name})" for matrix in shipped)
    raise TfbindError(f"motif {motif!r}: no such file and no JASPAR identifier; tfbind ships {known}")


def read_matrices(path: str | Path) -> list[Matrix]:
    """Read every matrix of a file in JASPAR or MEME format.

    Raises
    ------
    TfbindError
        If it holds none, or is damaged.
    """
    with open_text(path) as handle:
        found = _parse(handle.read(), str(path))
    if not found:
        raise TfbindError(f"{path}: holds no matrix, expected one or more")
    return found


def jaspar_matrices() -> list[Matrix]:
    """Give the latest version of every matrix of JASPAR's collection CORE.

    Raises
    ------
    MissingDependencyError
        If pyjaspar is not installed.
    """
    pyjaspar = require("pyjaspar", "jaspar", "naming motifs by JASPAR")
    return [_matrix(motif, "JASPAR") for motif in pyjaspar.jaspardb().fetch_motifs(collection="CORE")]


def meme_text(matrices: Iterable[Matrix], background: Iterable[float] = (0.25, 0.25, 0.25, 0.25)) -> str:
    """Write matrices in the MEME format, version 4.

    Parameters
    ----------
    matrices : iterable of Matrix
    background : 4 floats
        Frequencies of A, C, G and T.
    """
    letters = " ".join(f"{letter} {share:.4f}" for letter, share in zip(ALPHABET, background, strict=True))
    lines = ["MEME version 4", "", f"ALPHABET= {ALPHABET}", "", "strands: + -", ""]
    lines += ["Background letter frequencies", letters, ""]
    for matrix in matrices:
        name = matrix.id if matrix.name == matrix.id else f"{matrix.id} {matrix.name}"
        n_sites = matrix.counts.sum(axis=1)
        lines.append(f"MOTIF {name}")
        lines.append(
            f"letter-probability matrix: alength= 4 w= {len(matrix.counts)} nsites= {round(n_sites.max())} E= 0"
        )
        lines += [" ".join(f"{share:.6f}" for share in row) for row in matrix.counts / n_sites[:, None]]
        lines.append("")
    return "\n".join(lines)


def _from_pyjaspar(identifier: str) -> Matrix:
    pyjaspar = require("pyjaspar", "jaspar", f"the matrix {identifier}")
    motif = pyjaspar.jaspardb().fetch_motif_by_id(identifier)
    if motif is None:
        raise TfbindError(f"motif {identifier!r}: JASPAR has no such matrix")
    return _matrix(motif, identifier)


def _parse(text: str, source: str) -> list[Matrix]:
    from Bio import motifs

    is_meme = text.lstrip().startswith("MEME")
    if not is_meme and not text.lstrip().startswith(">"):
        raise TfbindError(
            f"{source}: starts with {text.strip()[:20]!r}, expected JASPAR ('>') or MEME ('MEME version')"
        )
    if is_meme and "Background letter frequencies" not in text:
        # optional in the format, but Biopython wants it
        text = text.replace("\nMOTIF", f"\n{UNIFORM_BACKGROUND}\n\nMOTIF", 1)
    try:
        found = list(motifs.parse(io.StringIO(text), "minimal" if is_meme else "jaspar"))
    # Biopython's parsers stumble over a damaged file in every way, a bare Exception among them
    except Exception as error:
        raise TfbindError(f"{source}: no matrix can be read from it ({error})") from None
    return [_matrix(motif, source) for motif in found]


def _matrix(motif: Any, source: str) -> Matrix:
    counts = np.array([motif.counts[letter] for letter in "ACGT"], np.float64).T
    # of MEME's two names Biopython keeps the first, which is the identifier
    words = f"{getattr(motif, 'matrix_id', None) or ''} {motif.name or ''}".split()
    if not words or counts.ndim != 2 or not len(counts):
        raise TfbindError(f"{source}: holds a matrix without a name or without positions")
    if not np.isfinite(counts).all() or counts.min() < 0 or (counts.sum(axis=1) == 0).any():
        raise TfbindError(
            f"{source}: matrix {words[0]}: found a position without counts or with a negative one"
        )
    return Matrix(words[0], words[-1], counts)
