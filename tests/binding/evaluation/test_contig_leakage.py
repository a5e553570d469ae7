from dataclasses import replace

import numpy as np
import pytest

from tfbind.binding.evaluation.contig_leakage import (
    count_seen_peaks,
    count_training_sequences,
    refuse_trained_contigs,
)
from tfbind.binding.scanning.genome_scan import ContigLetters
from tfbind.dna.alphabet import decode_letters, reverse_complement
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.genome import Genome
from tfbind.dna.minimizers import sketch
from tfbind.errors import TfbindError

LENGTH = 60


class Stub:
    """A model that was trained on some sequences."""

    def __init__(self, card, path):
        self.card, self.path = card, path


@pytest.fixture
def contigs():
    rng = np.random.default_rng(0)
    return {name: rng.integers(0, 4, 20_000).astype(np.uint8) for name in ("I", "II", "III")}


@pytest.fixture
def trained(model, contigs, tmp_path):
    """A model trained on 40 windows of I and 40 of II; two of III are there, too."""
    starts = np.arange(40) * 480
    windows = [codes[at : at + LENGTH] for name, codes in contigs.items() if name != "III" for at in starts]
    windows += [contigs["III"][at : at + LENGTH] for at in (100, 5_000)]
    codes = np.stack(windows)
    lengths = np.full(len(codes), LENGTH)
    card = replace(
        model.card,
        digests=np.unique(strand_canonical_digests(codes, lengths)),
        sketches=sketch(codes, lengths),
    )
    return Stub(card, tmp_path / "trained.keras")


@pytest.fixture
def genome(contigs, tmp_path):
    path = tmp_path / "g.fa"
    path.write_text("".join(f">{name}\n{decode_letters(codes)}\n" for name, codes in contigs.items()))
    with Genome(path) as genome:
        yield genome


def test_training_sequences_are_counted_on_either_strand(trained, contigs):
    assert count_training_sequences(contigs["I"], trained.card) == 40
    other = reverse_complement(contigs["I"][None], np.array([20_000]))[0]
    assert count_training_sequences(other, trained.card) == 40
    assert count_training_sequences(contigs["III"], trained.card) == 2
    assert count_training_sequences(contigs["I"][:30], trained.card) == 0


def test_peaks_are_seen_where_a_training_sequence_overlaps_their_window(trained, contigs):
    peaks = np.array([30, 485 + 30, 300, 20_000 - 1])
    assert count_seen_peaks(contigs["I"], peaks, trained.card) == 2


class TestRefuse:
    def test_contigs_that_were_trained_on(self, trained, genome):
        letters, peaks = ContigLetters(genome, ["I", "III"]), [np.array([7_000]), np.array([300])]
        with pytest.raises(
            TfbindError, match=r"trained or validated on contigs .*: I \(40 sequences, 0 of 1"
        ):
            refuse_trained_contigs(trained, letters, peaks)
        notes = refuse_trained_contigs(trained, letters, peaks, allow=True)
        assert "may be too good" in notes[0]

    def test_contigs_of_whose_peaks_some_were_trained_on(self, trained, genome):
        # none of these sequences are equal, and there are few of them
        sparse = replace(trained.card, digests=trained.card.digests[:0])
        peaks = [np.arange(40)[::8] * 480 + 32]
        with pytest.raises(TfbindError, match=r"I \(0 sequences, 5 of 5 peaks\)"):
            refuse_trained_contigs(Stub(sparse, trained.path), ContigLetters(genome, ["I"]), peaks)

    def test_not_a_contig_with_copies(self, trained, genome):
        notes = refuse_trained_contigs(trained, ContigLetters(genome, ["III"]), [np.array([130, 5_030])])
        assert notes == ["2 training sequences of trained.keras occur on these contigs, too, as repeats do."]
