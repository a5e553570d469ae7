"""All about the motifs in contributions: what they are, their names, their sites and what they are worth."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from tfbind.binding.interpretation.importance import Importance, Judged, judge
from tfbind.binding.interpretation.modisco import find_patterns
from tfbind.binding.interpretation.motifs import Motif, find_motifs
from tfbind.binding.interpretation.mutagenesis import one_hot_bases
from tfbind.binding.interpretation.names import Match, name_motifs
from tfbind.binding.interpretation.sequences import Chosen, Sequences
from tfbind.binding.interpretation.sites import Scanner, Sites, base_frequencies, find_sites
from tfbind.binding.model.model import BindingModel
from tfbind.dna.matrices import Matrix

logger = logging.getLogger(__name__)


class Study(NamedTuple):
    """What was found, the motifs with the greatest importance first.

    motifs : list of Motif
    matches : list of Match or None
    sites : Sites
    judged : Judged
    background : (4,) float64
        Frequencies of the bases.
    """

    motifs: list[Motif]
    matches: list[Match | None]
    sites: Sites
    judged: Judged
    background: np.ndarray

    def table(self) -> pd.DataFrame:
        """Give a row a motif."""
        rows = []
        for number, (motif, match) in enumerate(zip(self.motifs, self.matches, strict=True)):
            of_motif = self.sites.motif == number
            worth = self.judged.motifs[number]
            rows.append(
                {
                    "name": motif.name,
                    "match": None if match is None else match.matrix.name,
                    "match_id": None if match is None else match.matrix.id,
                    "p": None if match is None else match.p,
                    "q": None if match is None else match.q,
                    "other_matches": None if match is None else ",".join(match.further) or None,
                    "consensus": motif.consensus,
                    "sites": int(of_motif.sum()),
                    "sequences": len(np.unique(self.sites.sequence[of_motif])),
                    "seqlets": len(motif.start),
                    "mean_contribution": float(self.sites.contribution[of_motif].mean())
                    if of_motif.any()
                    else None,
                    **_columns(worth),
                }
            )
        return pd.DataFrame(rows, columns=list(COLUMNS))

    def bed_lines(self, sequences: Sequences) -> Iterator[str]:
        """Give a line a site: contig, start, end, motif, score, strand, name, contribution, and the sequence's id.

        The score is 1000 for the site that contributes most, and 0 for none.
        """
        most = np.abs(self.sites.contribution).max(initial=1e-9)
        for number, row, start, end, is_reverse, _, contribution in zip(*self.sites, strict=True):
            match = self.matches[number]
            first = sequences.start[row]
            fields = (
                sequences.contig[row],
                first + start,
                first + end,
                self.motifs[number].name,
                round(1000 * abs(contribution) / most),
                "-" if is_reverse else "+",
                "." if match is None else match.matrix.name,
                f"{contribution:.4g}",
                sequences.id[row],
            )
            yield "\t".join(map(str, fields)) + "\n"

    def summary(self) -> dict[str, Any]:
        """Say how many motifs there are and what to make of them."""
        n_trusted = sum(worth.trusted for worth in self.judged.motifs)
        return {
            "n_motifs": len(self.motifs),
            "n_trusted": n_trusted,
            "auroc": _or_none(self.judged.auroc),
            "auroc_ci95": [_or_none(limit) for limit in self.judged.auroc_ci95],
            "compared_with": "dinucleotide shuffles" if self.judged.made_up else "unbound sequences",
            "notes": list(self._notes(n_trusted)),
        }

    def _notes(self, n_trusted: int) -> Iterator[str]:
        low, high = self.judged.auroc_ci95
        others = "their dinucleotide shuffles" if self.judged.made_up else "unbound sequences"
        if not self.judged.separates:
            yield (
                f"The model does not tell these sequences from {others} (AUROC {self.judged.auroc:.2f}, 95% interval"
                f" {low:.2f} to {high:.2f}), so none of its motifs is trustworthy."
            )
        elif not self.motifs:
            yield "No motif was found."
        elif not n_trusted:
            yield "None of the motifs is trustworthy: without its sites the model is as good, or it adds little."


COLUMNS = (
    *("name", "match", "match_id", "p", "q", "other_matches", "consensus", "sites", "sequences", "seqlets"),
    *(
        "mean_contribution",
        "importance",
        "importance_low",
        "importance_high",
        "gain",
        "gain_low",
        "gain_high",
    ),
    "trusted",
)


def _columns(worth: Importance) -> dict[str, Any]:
    return {
        "importance": worth.lost,
        "importance_low": worth.lost_ci95[0],
        "importance_high": worth.lost_ci95[1],
        "gain": worth.gain,
        "gain_low": worth.gain_low,
        "gain_high": worth.gain_high,
        "trusted": "yes" if worth.trusted else "no",
    }


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def study_motifs(
    model: BindingModel,
    chosen: Chosen,
    scores: np.ndarray,
    known: Sequence[Matrix],
    *,
    factor: int = 0,
    seed: int = 0,
    threads: int | None = None,
) -> Study:
    """Find motifs in contributions, name them, find their sites and measure what they are worth.

    Parameters
    ----------
    model : BindingModel
    chosen : Chosen
    scores : (n, length, 4) float32
        Hypothetical contributions of ``chosen.bound``.
    known : sequence of Matrix
        That give motifs their names.
    factor : int
        Number of the task.
    seed : int
    threads : int or None
    """
    bound = chosen.bound
    background = base_frequencies(bound.codes)
    found = find_motifs(find_patterns(one_hot_bases(bound.codes), scores, threads), bound, scores)
    scanners = [Scanner(motif, bound, background) for motif in found]
    judged = judge(model, bound, chosen.unbound, scanners, factor, seed)
    order = sorted(range(len(found)), key=lambda at: -judged.motifs[at].lost)
    judged = judged._replace(motifs=[judged.motifs[at] for at in order])
    motifs = renumbered([found[at] for at in order])
    scanners = [Scanner(motif, bound, background) for motif in motifs]
    matches = name_motifs(motifs, known, threads)
    sites = find_sites(scanners, bound, scores)
    logger.info(
        "%s motifs in %s sequences, %s named, %s trusted",
        f"{len(motifs):,}",
        f"{bound.n:,}",
        f"{sum(match is not None for match in matches):,}",
        f"{sum(worth.trusted for worth in judged.motifs):,}",
    )
    return Study(motifs, matches, sites, judged, background)


def renumbered(motifs: Sequence[Motif]) -> list[Motif]:
    """Number motifs in their order, those for and those against binding each by themselves."""
    named = []
    numbers = {1: 0, -1: 0}
    for motif in motifs:
        numbers[motif.sign] += 1
        kind = "motif" if motif.sign > 0 else "against"
        named.append(motif._replace(name=f"{kind}_{numbers[motif.sign]}"))
    return named
