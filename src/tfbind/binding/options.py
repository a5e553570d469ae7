"""The one table of defaults: the command line, the config's schema and the manual read it here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tfbind.training.options import FitOptions

# fractions of train, validation and test; those of whole contigs are coarse, so more is held out to judge by
SPLIT, SPLIT_BY_CONTIG = (0.8, 0.1, 0.1), (0.7, 0.1, 0.2)
# peaks on the validation contigs that tfbind would like to have, to calibrate by, even of few peaks
VALIDATION_PEAKS = 30
# a genome has thousands of windows for each bound one: GENOME_RATIO negatives from it for each peak, as long as they
# are not more than MOST_NEGATIVES in all
GENOME_RATIO, MOST_NEGATIVES = 20.0, 40_000
# networks whose logits are averaged where a genome's peaks are few: chance in training matters most there
FEW_PEAKS, MEMBERS_OF_FEW = 1_000, 3
ENCODINGS = ("onehot", "kmer")
MAX_FOLDS = 255  # a byte numbers them
MOST_MEMBERS = 100  # networks of an ensemble
# changed bases of an allele that `tfbind variants` scores; one of 10,000 costs about as much as 50 SNVs
MAX_ALLELE = 10_000
SPLIT_BY = ("contigs", "records")
NEGATIVE_METHODS = ("genome", "dinucleotide", "background")
# negatives that occur nowhere, by what they are called
MADE_UP = {"dinucleotide": "shuffles", "background": "sequences of a background model"}


# of one-hot tensors and of k-mers, on which no evidence tracks can lie
DEFAULT_ARCHITECTURE, DEFAULT_KMER_ARCHITECTURE = "gkm-bilstm", "conv-bilstm"
# peak learning rates that did best on validation parts of two of the ENCODE sets; all other architectures take
# `tfbind.training.options.LEARNING_RATE`
LEARNING_RATES = {"deepbind": 3e-3, "kegru": 1e-2, "danq": 3e-3, "transformer": 3e-3}
# what of it a training takes that starts from a trained model
START_RATE = 0.3


@dataclass(frozen=True, kw_only=True)
class EncodeOptions:
    """How records become tensors.

    length : bases a record; longer ones are cropped round the centre, shorter ones padded
    negative_method : one out of NEGATIVE_METHODS; None takes genome where one is given, else dinucleotide
    background : model that draws the negatives of the method "background"
    negative_ratio : negatives made for each positive; None for 1, or those of a genome for `genome_ratio`
    exclude : BED of regions that no window may touch, be it a positive or a negative from the genome
    keep_excluded_positives : keep windows of peaks that touch them
    max_peaks : keep the strongest peaks only
    peak_format : one of `tfbind.dna.peak_formats.PEAK_FORMATS`
    strict : refuse peaks that are not on the genome, instead of leaving them out
    skip_invalid : leave out lines that are not peaks and records with letters that are not bases, instead of refusing
        them
    encoding, k, stride : one-hot, or k-mers of k bases every stride bases
    split : fractions of train, validation and test; None for SPLIT, or of contigs for SPLIT_BY_CONTIG
    split_by : "contigs" holds out contigs of a genome that come close to the fractions, "records" deals at random;
        None for contigs where the records are peaks that allow it
    test_contigs, validation_contigs : hold these out instead
    folds : deal all but the test part into so many folds of a cross-validation
    """

    length: int = 101
    negative_method: str | None = None
    background: Path | None = None
    negative_ratio: float | None = None
    exclude: Path | None = None
    keep_excluded_positives: bool = False
    max_peaks: int | None = None
    peak_format: str = "auto"
    strict: bool = False
    skip_invalid: bool = False
    encoding: str = "onehot"
    k: int = 5
    stride: int = 2
    split: tuple[float, float, float] | None = None
    split_by: str | None = None
    test_contigs: tuple[str, ...] = ()
    validation_contigs: tuple[str, ...] = ()
    folds: int | None = None
    seed: int = 0

    @property
    def ratio(self) -> float:
        """Negatives for each positive: as asked for, or 1."""
        return 1.0 if self.negative_ratio is None else self.negative_ratio

    @property
    def fractions(self) -> tuple[float, float, float]:
        """Of train, validation and test: as asked for, or SPLIT."""
        return SPLIT if self.split is None else self.split


def genome_ratio(n_peaks: int) -> float:
    """Negatives from a genome for each of ``n_peaks`` peaks, where no ratio is asked for."""
    return min(GENOME_RATIO, max(1.0, MOST_NEGATIVES / n_peaks))


def default_members(n_peaks: int) -> int:
    """Networks to train on ``n_peaks`` training peaks of a genome, where no number is asked for."""
    return MEMBERS_OF_FEW if n_peaks < FEW_PEAKS else 1


def default_architecture(k: int | None) -> str:
    """Give the architecture for tensors of k-mers, or one-hot where ``k`` is None."""
    return DEFAULT_ARCHITECTURE if k is None else DEFAULT_KMER_ARCHITECTURE


def peak_rate(options: FitOptions, architecture: str) -> float:
    """The learning rate asked for, or where it is None the one that suits an architecture."""
    if options.learning_rate is not None:
        return options.learning_rate
    return LEARNING_RATES.get(architecture, options.peak_rate)


def started_rate(options: FitOptions, architecture: str) -> float:
    """The learning rate asked for, or where it is None the one for training on from a model."""
    return peak_rate(options, architecture) * (START_RATE if options.learning_rate is None else 1)
