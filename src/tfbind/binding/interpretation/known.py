"""The known matrices that give motifs their names, and what finding motifs needs."""

from __future__ import annotations

import logging
from pathlib import Path

from tfbind.dna.matrices import Matrix, jaspar_matrices, read_matrices
from tfbind.errors import MissingDependencyError, require

logger = logging.getLogger(__name__)


def known_matrices(path: Path | None) -> list[Matrix]:
    """Read the matrices of a file, or those of JASPAR; without pyjaspar there are none, and the log says so.

    Raises
    ------
    MissingDependencyError
        If what finds motifs is not installed.
    """
    require("modiscolite", "interpret", "finding motifs (--no-motifs leaves them out)")
    require("memelite", "interpret", "naming motifs (--no-motifs leaves them out)")
    if path is not None:
        return read_matrices(path)
    try:
        return jaspar_matrices()
    except MissingDependencyError as error:
        logger.warning("motifs get no names: %s; or give --motifs FILE", error)
        return []
