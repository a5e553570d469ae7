"""Training examples from a tensors file: in every epoch strands are turned, windows shifted and negatives shuffled."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tfbind.binding.encoding.inputs import InputEncoder
from tfbind.binding.learning.gkm import CrossFit, cross_fit
from tfbind.binding.learning.parts import Part, shifted, useful_shuffles
from tfbind.dna.alphabet import reverse_complement
from tfbind.dna.coordinates import widened
from tfbind.dna.digests import composition_digests
from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.minimizers import Sketches, join_sketches, overlap_groups
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.dna.splitmix import seeds_for
from tfbind.dna.splits import PARTS, TEST, TRAIN, VALIDATION, group_related
from tfbind.errors import TfbindError
from tfbind.tensors import Tensors
from tfbind.training.data import Examples


class BindingData:
    """Training and validation examples for `tfbind.training.fit.fit`.

    Parameters
    ----------
    tensors : Tensors
    encoding : DnaEncoding
        What the network reads, where that is not what the file holds; one-hot tensors can be read as k-mers.
    seed : int
        Of the order, the strands and the shuffles of every epoch, and of the folds.
    tracks : bool
        Whether the network reads evidence tracks of gapped k-mers: fits the linear model that lays them.
    prior : (tasks, N_FEATURES) float32 or None
        What the weights of that model are near, see `tfbind.binding.learning.gkm.cross_fit`.
    seen : (n_train,) bool or None
        The training examples that the prior's own training has seen; None if it has seen none.

    Raises
    ------
    TfbindError
        If the training or the validation part lacks a class for some factor, or if with ``tracks`` nearly all
        examples of one are related.
    """

    def __init__(
        self,
        tensors: Tensors,
        seed: int,
        *,
        encoding: DnaEncoding | None = None,
        tracks: bool = False,
        prior: np.ndarray | None = None,
        seen: np.ndarray | None = None,
    ):
        self.seed = seed
        self.train, self.held_out = Part(tensors, TRAIN), Part(tensors, VALIDATION)
        for number, part in ((TRAIN, self.train), (VALIDATION, self.held_out)):
            for index, factor in enumerate(tensors.tasks):
                for label, name in ((1, "bound"), (0, "unbound")):
                    if not (part.y[:, index] == label).any():
                        raise TfbindError(
                            f"{tensors.path}: no {name} sequence of {factor} in the {PARTS[number]} part, expected some"
                        )
        self.n_train = len(self.train)
        self._shuffles, self._parents = self._find_shuffles()
        never_seen = (self.held_out, Part(tensors, TEST))
        self._held_out_digests = np.concatenate([part.digests() for part in never_seen])
        self.linear: CrossFit | None = None
        if tracks:
            of_file = tensors.intervals()
            width = self.train.flanks.shape[2]
            intervals = widened([of_file[row] for row in self.train.rows], width)
            related = group_related(
                self.train.digests(),
                intervals,
                composition_digests(self.train.codes, self.train.valid_length),
                overlap_groups(self.train.sketches(), np.array([place is not None for place in intervals])),
            )
            # a shuffle goes with its parent
            related[self._shuffles] = related[self._parents]
            if seen is not None:
                seen = seen.copy()
                seen[self._shuffles] = seen[self._parents]
            self.linear = cross_fit(
                self.train, related, np.unique(self._parents), self._held_out_digests, seed, prior, seen
            )
        self.encoder = InputEncoder(encoding or tensors.encoding, self.linear.mean() if self.linear else None)

    def _find_shuffles(self) -> tuple[np.ndarray, np.ndarray]:
        """Training rows of shuffles, and the training row of the positive that each was made from."""
        parents = self.train.parent
        row_of = {name: row for row, name in enumerate(self.train.id)}
        shuffles = np.array([row for row, parent in enumerate(parents) if parent in row_of], np.int64)
        return shuffles, np.array([row_of[parents[row]] for row in shuffles], np.int64)

    def sketches(self) -> Sketches:
        """Minimizers of the training and validation sequences, shuffles left out: nothing overlaps those."""
        parts = (self.train, self.held_out)
        return join_sketches([part.sketches(np.flatnonzero(part.parent == "")) for part in parts])

    def class_weights(self) -> np.ndarray:
        """Weights that give both classes of a task the same say: (tasks, 2) float32, n / (2 * n of class)."""
        unbound, bound = (self.train.y == 0).sum(axis=0), (self.train.y == 1).sum(axis=0)
        return ((unbound + bound)[:, None] / (2 * np.stack([unbound, bound], axis=1))).astype(np.float32)

    def batches(self, epoch: int, size: int) -> Iterator[Examples]:
        """Give one epoch's training examples in random order.

        Windows whose neighbouring bases are known are shifted, so that a site is learned wherever it is in a window: a
        scan's windows have it anywhere.
        """
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(self.n_train)
        turned = rng.random(self.n_train) < 0.5
        codes, flanks = self._with_fresh_shuffles(epoch), self.train.flanks
        width = flanks.shape[2]
        shift = rng.integers(-width, width + 1, self.n_train) if width else None
        for start in range(0, self.n_train, size):
            rows = order[start : start + size]
            batch, valid_length = codes[rows], self.train.valid_length[rows]
            if shift is not None:
                batch = shifted(batch, flanks[rows], valid_length, shift[rows])
            other = turned[rows]
            batch[other] = reverse_complement(batch[other], valid_length[other])
            inputs: tuple[np.ndarray, ...] = (self.encoder.encoding.encode(batch), valid_length)
            if self.linear is not None:
                inputs += (self.linear.tracks(batch, valid_length, rows),)
            yield Examples(inputs, self.train.y[rows])

    def _with_fresh_shuffles(self, epoch: int) -> np.ndarray:
        if not len(self._shuffles):
            return self.train.codes
        parents, valid_length = self.train.codes[self._parents], self.train.valid_length[self._parents]
        made = dinucleotide_shuffle(parents, valid_length, seeds_for(self._shuffles, self.seed, epoch))
        # a useless one gives way to the stored one
        useful = useful_shuffles(made, parents, valid_length, self._held_out_digests)
        codes = self.train.codes.copy()
        codes[self._shuffles[useful]] = made[useful]
        return codes

    def validation(self, size: int) -> Iterator[Examples]:
        """Give the validation examples in their order."""
        return self.held_out.batches(self.encoder, size)
