"""How a contig is inherited, as far as its name says: autosomes, sex chromosomes, organelles."""

from __future__ import annotations

from collections.abc import Iterable

from tfbind.contigs import bare

SEX_LINKED = "sex_linked"
PSEUDOAUTOSOMAL = "pseudoautosomal"
UNIPARENTAL = "not_recombining"

_SEX_LINKED = {"X", "Z"}
_UNIPARENTAL = {"Y", "W", "M", "MT", "MTDNA", "MITO", "MITOCHONDRION", "PT", "PLTD", "CHLOROPLAST", "PLASTID"}
# where chromosomes have Roman numbers, X is the tenth unless there is no ninth, as in C. elegans
_NINE = "IX"


def inheritance(contig: str, names: Iterable[str]) -> str:
    """Say how a contig is inherited: SEX_LINKED, UNIPARENTAL, or empty for any other.

    Parameters
    ----------
    contig : str
    names : iterable of str
        All the contigs of the genome that are known. If ``IX`` is one of them, ``X`` is the tenth chromosome.
    """
    name = bare(contig).upper()
    # Arabidopsis has ChrC, but C alone may be anything
    if name in _UNIPARENTAL or contig.upper() == "CHRC":
        return UNIPARENTAL
    if name not in _SEX_LINKED or (name == "X" and any(bare(other).upper() == _NINE for other in names)):
        return ""
    return SEX_LINKED
