"""The first pass over the records of a data set: what must be known of all before any is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfbind.binding.encoding.negatives import Maker
from tfbind.binding.encoding.sources import Source
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.dna.coordinates import Interval, in_one_spelling
from tfbind.dna.digests import composition_digests, strand_canonical_digests
from tfbind.dna.minimizers import Sketches, join_sketches, sketch
from tfbind.progress import Progress


@dataclass
class Survey:
    """What the first pass finds in n records, in the order of reading.

    digest, composition : (n,) uint64, see `tfbind.dna.digests`
    intervals : where each record comes from, see `tfbind.dna.fasta.Batch`
    sketches : of the n records
    y : (n, tasks) float32
    part : (n,) uint8, the parts that the user states, or None
    named : (n,) int64, numbers of the groups that the user states, -1 for none; or None
    group_names : of these numbers
    made_digest : (m,) uint64, of the negatives that are made
    made_for : (m,) int64, the record that each was made for
    n_ambiguous, n_padded : records with an ambiguous base, and records shorter than the length
    name_hash : (n,) int64
    """

    digest: np.ndarray
    composition: np.ndarray
    intervals: list[Interval | None]
    sketches: Sketches
    y: np.ndarray
    part: np.ndarray | None
    named: np.ndarray | None
    group_names: list[str]
    made_digest: np.ndarray
    made_for: np.ndarray
    n_ambiguous: int
    n_padded: int
    name_hash: np.ndarray

    def stratum(self) -> np.ndarray:
        """Number the records by their labels, so that parts get their share of each kind: (n,) int."""
        return np.unique(np.nan_to_num(self.y, nan=-1), axis=0, return_inverse=True)[1]


def make_survey(
    sources: Sequence[Source], n_tasks: int, options: EncodeOptions, maker: Maker | None
) -> Survey:
    """Read all records once; memory holds some numbers for each, and one batch of sequences."""
    digests, compositions, labels, names, sketches = [], [], [], [], []
    made_digests, made_for = [], []
    parts: list[np.ndarray] = []
    named: list[int] = []
    number_of_group: dict[str, int] = {"": -1}
    n = 0
    intervals: list[Interval | None] = []
    n_ambiguous = n_padded = n_with_negatives = 0
    with Progress("reading", unit="records") as progress:
        for source in sources:
            for batch in source.batches():
                digests.append(strand_canonical_digests(batch.codes, batch.valid_length))
                compositions.append(composition_digests(batch.codes, batch.valid_length))
                labels.append(source.labels(batch))
                stated = source.stated(batch) if source.stated else None
                if stated and stated.part is not None:
                    parts.append(stated.part)
                groups = stated.group if stated and stated.group is not None else [""] * len(batch.names)
                named.extend(number_of_group.setdefault(name, len(number_of_group) - 1) for name in groups)
                intervals.extend(batch.intervals)
                sketches.append(sketch(batch.codes, batch.valid_length))
                names.append(np.fromiter(map(hash, batch.names), np.int64, len(batch.names)))
                inside = np.arange(options.length) < batch.valid_length[:, None]
                n_ambiguous += int(((batch.codes == AMBIGUOUS) & inside).any(axis=1).sum())
                n_padded += int((batch.valid_length < options.length).sum())
                if maker is not None and source.gets_negatives:
                    made = maker.make(batch, n_with_negatives)
                    made_digests.append(made.digest)
                    made_for.append(n + made.positive)
                    n_with_negatives += len(batch.names)
                n += len(batch.names)
                progress.update(len(batch.names))
    return Survey(
        np.concatenate(digests),
        np.concatenate(compositions),
        # a genome may have an I and a 1, as with a spike-in of another species
        intervals if all(source.of_genome for source in sources) else in_one_spelling(intervals),
        join_sketches(sketches),
        np.concatenate(labels).reshape(-1, n_tasks),
        np.concatenate(parts) if parts else None,
        np.array(named) if len(number_of_group) > 1 else None,
        list(number_of_group)[1:],
        np.concatenate(made_digests) if made_digests else np.empty(0, np.uint64),
        np.concatenate(made_for) if made_for else np.empty(0, np.int64),
        n_ambiguous,
        n_padded,
        np.concatenate(names),
    )
