"""What training needs of a genome beside the windows: the bases next to them, and stretches to be scanned whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from tfbind.dna.alphabet import AMBIGUOUS, encode_any_letters
from tfbind.dna.coordinates import Interval
from tfbind.dna.genome import Genome
from tfbind.dna.peaks import Peak
from tfbind.dna.splits import TEST, VALIDATION
from tfbind.tensor_stretches import Stretches

# bases of stretches in a file at the most, and of one of them if the contigs are longer than that
MOST_BASES, STRETCH = 20_000_000, 500_000


class Surroundings(NamedTuple):
    """Of the records of a genome.

    genome : Genome
        Open.
    width : int
        Bases on either side of each record; none with 0.
    stretches : Stretches or None
    """

    genome: Genome
    width: int
    stretches: Stretches | None

    def flanks(self, intervals: Sequence[Interval | None]) -> np.ndarray:
        """Read the bases before and after records: (n, 2, width) uint8, ambiguous beyond the end of a contig."""
        flanks = np.full((len(intervals), 2, self.width), AMBIGUOUS, np.uint8)
        for row, interval in enumerate(intervals):
            if interval is None:
                continue
            contig, start, end = interval
            first, last = max(start - self.width, 0), min(end + self.width, self.genome.contigs[contig])
            codes = encode_any_letters(self.genome.fetch(contig, first, last))[0]
            before, after = codes[: start - first], codes[end - first :]
            flanks[row, 0, self.width - len(before) :] = before
            flanks[row, 1, : len(after)] = after
        return flanks


def validation_stretches(
    genome: Genome, peaks: Iterable[Peak], part_of_contig: Mapping[str, int]
) -> Stretches | None:
    """Cut stretches from the contigs of the validation part.

    Whole contigs, or, where these have more than `MOST_BASES`, stretches of `STRETCH` bases at even distances.

    Parameters
    ----------
    genome : Genome
    peaks : iterable of Peak
        All that lie on the genome.
    part_of_contig : mapping
        Contigs with a peak, and the part that each is in.

    Returns
    -------
    Stretches or None
        None if no contig is held out for validation, or none of the stretches has a peak.
    """
    held_out = [contig for contig in genome.contigs if part_of_contig.get(contig) == VALIDATION]
    summits = {(peak.contig, peak.summit) for peak in peaks}
    known = {contig for contig, part in part_of_contig.items() if part != TEST}
    n_known = sum(contig in known for contig, _ in summits)
    on_contig: defaultdict[str, list[int]] = defaultdict(list)
    for contig, summit in summits:
        on_contig[contig].append(summit)
    places = [(contig, 0, genome.contigs[contig]) for contig in held_out]
    n_bases = sum(end for _, _, end in places)
    if n_bases > MOST_BASES:
        cut = [
            (contig, start, min(start + STRETCH, end))
            for contig, _, end in places
            for start in range(0, end, STRETCH)
        ]
        chosen = np.linspace(0, len(cut) - 1, MOST_BASES // STRETCH).round().astype(int)
        places = [cut[number] for number in np.unique(chosen)]
    size = np.array([end - start for _, start, end in places], np.int64)
    first = np.cumsum(size) - size
    here = sorted(
        int(at + summit - start)
        for (contig, start, end), at in zip(places, first.tolist(), strict=True)
        for summit in on_contig[contig]
        if start <= summit < end
    )
    if not here:
        return None
    codes = [encode_any_letters(genome.fetch(contig, start, end))[0] for contig, start, end in places]
    return Stretches(
        np.array([contig for contig, _, _ in places], dtype=object),
        np.array([start for _, start, _ in places], np.int64),
        size,
        np.concatenate(codes),
        np.array(here, np.int64),
        1e6 * n_known / sum(genome.contigs[contig] for contig in known),
    )
