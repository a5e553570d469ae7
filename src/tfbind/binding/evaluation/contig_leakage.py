"""Whether a model was trained on contigs: its training sequences are looked for at every base and at the peaks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tfbind.binding.model.card import ModelCard
from tfbind.binding.model.model import BindingModel
from tfbind.binding.scanning.genome_scan import ContigLetters
from tfbind.dna.alphabet import encode_any_letters
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.minimizers import find_overlaps, sketch
from tfbind.errors import TfbindError

ROWS_AT_ONCE = 65536
# of the density that training sequences would have if they came from all of the genome. Held-out chromosomes of yeast
# have .12 to .18 of it, in repeats, and those that were trained on at least 1.1
MOST_DENSE = 0.4
# share of a contig's peaks whose windows overlap a training sequence
MOST_OVERLAPPING = 0.1
FEWEST = 3


def count_training_sequences(codes: np.ndarray, card: ModelCard) -> int:
    """Count the different training and validation sequences of a model that occur in a contig, on either strand.

    Parameters
    ----------
    codes : (n,) uint8
    card : ModelCard
    """
    length = card.encoding.length
    if len(codes) < length:
        return 0
    windows, found = sliding_window_view(codes, length), []
    for first in range(0, len(windows), ROWS_AT_ONCE):
        some = np.ascontiguousarray(windows[first : first + ROWS_AT_ONCE])
        # what a k-mer tensors file could not tell in training must not tell here either
        if card.training.get("stored_as") == "kmer":
            some = card.encoding.decode(card.encoding.encode(some))
        digests = strand_canonical_digests(some, np.full(len(some), length))
        found.append(digests[np.isin(digests, card.digests)])
    return len(np.unique(np.concatenate(found)))


def count_seen_peaks(codes: np.ndarray, peaks: np.ndarray, card: ModelCard) -> int:
    """Count the peaks around which a model's training or validation sequences lie.

    Parameters
    ----------
    codes : (n,) uint8
        Of the contig.
    peaks : (m,) int64
        Positions.
    card : ModelCard
    """
    length = card.encoding.length
    if len(codes) < length:
        return 0
    start = np.clip(peaks - length // 2, 0, len(codes) - length)
    windows = np.ascontiguousarray(sliding_window_view(codes, length)[start])
    if card.training.get("stored_as") == "kmer":
        windows = card.encoding.decode(card.encoding.encode(windows))
    valid_length = np.full(len(windows), length)
    seen = np.isin(strand_canonical_digests(windows, valid_length), card.digests)
    if card.sketches is not None:
        seen |= find_overlaps(sketch(windows, valid_length, card.sketches.scheme), card.sketches)
    return int(seen.sum())


def refuse_trained_contigs(
    model: BindingModel, letters: ContigLetters, peaks: Sequence[np.ndarray], *, allow: bool = False
) -> list[str]:
    """Refuse contigs that a model was trained or validated on.

    A contig counts as such if training sequences are at more than a tenth of its peaks, or if more than 0.4 times as
    many of them lie on it as if they were spread evenly over the genome. Fewer are copies of repeats.

    Parameters
    ----------
    model : BindingModel
    letters : ContigLetters
        The contigs to be scanned.
    peaks : sequence of (m,) int64
        Positions of the peaks of each contig.
    allow : bool
        Refuse nothing, and say in the notes what was found.

    Returns
    -------
    list of str
        Sentences that belong beside the figures.

    Raises
    ------
    TfbindError
        Naming the contigs.
    """
    sizes, card = letters.genome.contigs, model.card
    density = len(card.digests) / sum(sizes.values())
    trained, n_found = [], 0
    for (contig, sequence), of_contig in zip(letters(), peaks, strict=True):
        codes = encode_any_letters(sequence)[0]
        n = count_training_sequences(codes, card)
        n_found += n
        n_seen = count_seen_peaks(codes, of_contig, card)
        if (n >= FEWEST and n > MOST_DENSE * density * sizes[contig]) or (
            n_seen >= FEWEST and n_seen > MOST_OVERLAPPING * len(of_contig)
        ):
            trained.append(f"{contig} ({n:,} sequences, {n_seen:,} of {len(of_contig):,} peaks)")
    if trained and not allow:
        raise TfbindError(
            f"{model.path}: was trained or validated on contigs that are to be scanned: {', '.join(trained)}; expected"
            " contigs held out by tfbind encode --test-contigs, or --allow-overlap"
        )
    if trained:
        return [
            f"{model.path.name} was trained or validated on {', '.join(trained)}. They were scanned because of"
            " --allow-overlap: the figures may be too good."
        ]
    if n_found:
        return [
            f"{n_found:,} training sequences of {model.path.name} occur on these contigs, too, as repeats do."
        ]
    return []
