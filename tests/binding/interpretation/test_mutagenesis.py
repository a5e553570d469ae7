import numpy as np
import pytest

from tfbind.binding.interpretation import mutagenesis as module
from tfbind.binding.interpretation.mutagenesis import mutagenesis, single_mutants


def joined(found):
    some, scores, logits = zip(*found, strict=True)
    return np.concatenate([each.id for each in some]), np.concatenate(scores), np.concatenate(logits)


def brute_force(model, sequences, factor):
    """Each mutant by itself, in a batch of its own base by base."""
    n, length = sequences.codes.shape
    expected = np.zeros((n, length, 4))
    for row in range(n):
        for place in range(sequences.valid_length[row]):
            codes = np.repeat(sequences.codes[row : row + 1], 4, axis=0)
            codes[:, place] = range(4)
            # from the last to the first, so that none follows the mutant that it followed
            valid_length = np.repeat(sequences.valid_length[row], 4)
            logits = model.logits(codes[::-1].copy(), valid_length)[::-1, factor]
            expected[row, place] = logits - logits.mean()
    return expected


@pytest.mark.parametrize("name", ["binding", "kmer", "ensemble", "gru"])
def test_is_the_mutants_logits_by_themselves(name, kept_model, mixed):
    model, sequences = kept_model(name), mixed(name)
    factor = len(model.card.tasks) - 1
    _, scores, logits = joined(mutagenesis(model, sequences, factor))
    np.testing.assert_allclose(scores, brute_force(model, sequences, factor), atol=1e-5)
    assert np.abs(scores).max() > 1e-3
    expected = model.logits(sequences.codes, sequences.valid_length)[:, factor]
    np.testing.assert_allclose(logits, expected, atol=1e-6)
    assert (scores[2, -3:] == 0).all()
    assert (scores[3, 12:] == 0).all()
    np.testing.assert_allclose(scores.sum(axis=2), 0, atol=1e-5)


def test_both_engines_agree(kept_model, mixed):
    sequences = mixed("binding")
    by_engine = [
        joined(mutagenesis(kept_model("binding", engine), sequences)) for engine in ("openvino", "keras")
    ]
    np.testing.assert_allclose(by_engine[0][1], by_engine[1][1], atol=1e-5)


@pytest.mark.parametrize("bases", [1, 2**12, 2**14])
def test_does_not_depend_on_batches(kept_model, mixed, monkeypatch, bases):
    model, sequences = kept_model("binding"), mixed("binding")
    expected = joined(mutagenesis(model, sequences))
    monkeypatch.setattr(module, "BATCH_BASES", bases)
    found = joined(mutagenesis(model, sequences))
    assert (found[0] == sequences.id).all()
    np.testing.assert_allclose(found[1], expected[1], atol=1e-6)
    np.testing.assert_allclose(found[2], expected[2], atol=1e-6)


def test_mutants_are_listed_from_left_to_right(make_sequences):
    codes = np.array([[0, 4, 4], [4, 3, 2]], np.uint8)
    mutants = single_mutants(codes, np.array([2, 3], np.int32))
    first = [[0, 0, 0], *([0, 0, base] for base in (1, 2, 3)), *([0, 1, base] for base in range(4))]
    second = [[1, 0, 4], *([1, 0, base] for base in range(4)), *([1, 1, base] for base in (0, 1, 2))]
    second += [[1, 2, base] for base in (0, 1, 3)]
    assert mutants.tolist() == first + second
