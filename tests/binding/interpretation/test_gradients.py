import numpy as np
import pytest

from tfbind.binding.interpretation.gradients import expected_gradients, through_tracks
from tfbind.binding.interpretation.mutagenesis import centred
from tfbind.dna.gkm import N_FEATURES, evidence_tracks
from tfbind.errors import TfbindError


def scores_of(model, sequences, **values):
    return np.concatenate([scores for _, scores, _ in expected_gradients(model, sequences, **values)])


def test_of_a_linear_models_tracks_are_its_mutants_logits(make_sequences):
    rng = np.random.default_rng(0)
    sequences = make_sequences(rng.integers(0, 5, (3, 25)).astype(np.uint8))
    gkm = rng.normal(size=(1, N_FEATURES)).astype(np.float32)
    # the gradient of a sum
    added = centred(through_tracks(sequences, gkm, np.ones((3, 25, 1), np.float32)), sequences.valid_length)
    for place in range(25):
        logits = []
        for base in range(4):
            codes = sequences.codes.copy()
            codes[:, place] = base
            logits.append(evidence_tracks(codes, sequences.valid_length, gkm[None]).sum(axis=(1, 2)))
        expected = np.stack(logits, axis=1)
        np.testing.assert_allclose(
            added[:, place], expected - expected.mean(axis=1, keepdims=True), atol=1e-3
        )


@pytest.mark.parametrize("name", ["binding", "ensemble"])
def test_agree_with_mutagenesis(name, kept_model, mixed):
    from tfbind.binding.interpretation.mutagenesis import mutagenesis

    model, sequences = kept_model(name), mixed(name)
    factor = len(model.card.tasks) - 1
    (mutants,) = (scores for _, scores, _ in mutagenesis(model, sequences, factor))
    scores = scores_of(model, sequences, factor=factor, threads=1)
    assert scores.shape == mutants.shape
    assert (scores[3, 12:] == 0).all()
    assert np.corrcoef(scores.ravel(), mutants.ravel())[0, 1] > 0.5
    again = scores_of(model, sequences, factor=factor, threads=1)
    np.testing.assert_allclose(scores, again, atol=1e-6)


def test_of_kmers_are_refused(kept_model, mixed):
    with pytest.raises(TfbindError, match=r"reads k-mers.*--method ism"):
        scores_of(kept_model("kmer"), mixed("kmer"))
