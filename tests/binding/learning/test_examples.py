from collections import Counter

import numpy as np
import pytest

from tfbind.binding.encoding.from_fasta import encode_fasta
from tfbind.binding.encoding.from_labels import encode_labelled
from tfbind.binding.encoding.from_peaks import encode_peaks
from tfbind.binding.learning.examples import BindingData
from tfbind.binding.learning.parts import Part, content_digest, shifted
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import decode_letters
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.shuffle import dinucleotide_counts
from tfbind.dna.splits import TRAIN, VALIDATION
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors

COMPLEMENT = str.maketrans("ACGT", "TGCA")


@pytest.fixture
def given(given_tensors) -> BindingData:
    with open_tensors(given_tensors) as tensors:
        return BindingData(tensors, seed=1)


@pytest.fixture
def shuffled(shuffle_tensors) -> BindingData:
    with open_tensors(shuffle_tensors) as tensors:
        return BindingData(tensors, seed=1)


def epoch_of(data: BindingData, epoch: int, size: int = 16):
    """One epoch's codes, valid lengths and labels."""
    batches = list(data.batches(epoch, size))
    codes = data.encoder.encoding.decode(np.concatenate([batch.inputs[0] for batch in batches]))
    valid_length = np.concatenate([batch.inputs[1] for batch in batches])
    return codes, valid_length, np.concatenate([batch.y for batch in batches])


def canonical(codes: np.ndarray, valid_length: np.ndarray) -> list[str]:
    """Sequences as letters, each on the strand that comes first in the alphabet."""
    strands = [decode_letters(row[:n]) for row, n in zip(codes, valid_length, strict=True)]
    return [min(strand, strand[::-1].translate(COMPLEMENT)) for strand in strands]


def labelled(codes, valid_length, y) -> Counter:
    return Counter(zip(canonical(codes, valid_length), y[:, 0].tolist(), strict=True))


def fasta(path, sequences):
    path.write_text("".join(f">{path.stem}_{i}\n{sequence}\n" for i, sequence in enumerate(sequences)))
    return path


class TestAnEpoch:
    def test_shows_every_training_example_once(self, given):
        stored = labelled(given.train.codes, given.train.valid_length, given.train.y)
        assert labelled(*epoch_of(given, 0)) == labelled(*epoch_of(given, 5)) == stored
        assert sum(stored.values()) == given.n_train == len(given.train)

    def test_has_batches_of_the_size_and_a_shorter_last_one(self, given):
        sizes = [len(batch.y) for batch in given.batches(0, 50)]
        assert sizes[:-1] == [50] * (given.n_train // 50)
        assert sum(sizes) == given.n_train

    def test_does_not_depend_on_the_size_of_the_batches(self, shuffled):
        for one, other in zip(epoch_of(shuffled, 3, 16), epoch_of(shuffled, 3, 7), strict=True):
            assert np.array_equal(one, other, equal_nan=True)

    def test_has_an_order_and_strands_of_its_own(self, given):
        first, second = epoch_of(given, 0), epoch_of(given, 1)
        assert canonical(*first[:2]) != canonical(*second[:2])
        forward = {decode_letters(row) for row in given.train.codes}
        shown = [decode_letters(row) in forward for row in first[0]]
        assert 0.3 < np.mean(shown) < 0.7

    def test_is_the_same_when_asked_for_again(self, shuffled, shuffle_tensors):
        with open_tensors(shuffle_tensors) as tensors:
            again = BindingData(tensors, seed=1)
        epoch_of(shuffled, 0)
        assert all(map(np.array_equal, epoch_of(shuffled, 2), epoch_of(again, 2)))

    def test_differs_with_the_seed(self, shuffled, shuffle_tensors):
        with open_tensors(shuffle_tensors) as tensors:
            other = BindingData(tensors, seed=2)
        assert canonical(*epoch_of(shuffled, 0)[:2]) != canonical(*epoch_of(other, 0)[:2])

    def test_gives_kmers(self, kmer_tensors):
        with open_tensors(kmer_tensors) as tensors:
            batch = next(BindingData(tensors, seed=1).batches(0, 8))
        assert (batch.inputs[0].shape, batch.inputs[0].dtype) == ((8, 20), np.uint16)


class TestFreshShuffles:
    def test_differ_between_epochs(self, shuffled):
        epochs = [labelled(*epoch_of(shuffled, epoch)) for epoch in range(3)]
        unbound = [{sequence for sequence, label in epoch if label == 0} for epoch in epochs]
        assert not unbound[0] & unbound[1]
        assert not unbound[1] & unbound[2]
        bound = [{sequence for sequence, label in epoch if label == 1} for epoch in epochs]
        assert bound[0] == bound[1] == bound[2]

    def test_are_as_many_as_were_stored(self, shuffled):
        n_unbound = int((shuffled.train.y == 0).sum())
        found = labelled(*epoch_of(shuffled, 0))
        assert sum(count for (_, label), count in found.items() if label == 0) == n_unbound > 40

    def test_keep_the_exact_dinucleotide_counts(self, shuffled):
        stored = dinucleotide_counts(shuffled.train.codes, shuffled.train.valid_length)
        fresh = shuffled._with_fresh_shuffles(4)
        assert np.array_equal(dinucleotide_counts(fresh, shuffled.train.valid_length), stored)
        assert not np.array_equal(fresh, shuffled.train.codes)

    def test_leave_validation_alone(self, shuffled):
        first, second = (np.concatenate([b.inputs[0] for b in shuffled.validation(8)]) for _ in range(2))
        epoch_of(shuffled, 0)
        assert np.array_equal(first, second)
        assert np.array_equal(shuffled.encoder.encoding.decode(first), shuffled.held_out.codes)

    def test_never_equal_their_parent(self, tmp_path):
        # ten bases of two kinds shuffle in few ways
        rng = np.random.default_rng(1)
        positives = ["".join(rng.permutation(list("AACAACCACA"))) for _ in range(40)]
        encode_fasta(
            tmp_path / "t.h5", fasta(tmp_path / "p.fa", positives), None, "X", EncodeOptions(length=10)
        )
        with open_tensors(tmp_path / "t.h5") as tensors:
            data = BindingData(tensors, seed=1)
        stored = strand_canonical_digests(data.train.codes, data.train.valid_length)
        for epoch in range(30):
            digests = strand_canonical_digests(data._with_fresh_shuffles(epoch), data.train.valid_length)
            assert (digests[data._shuffles] != stored[data._parents]).all()

    def test_give_way_to_the_stored_ones_where_they_equal_a_held_out_example(self, shuffled):
        made = shuffled._with_fresh_shuffles(0)
        clashing = shuffled._shuffles[:5]
        digests = strand_canonical_digests(made[clashing], shuffled.train.valid_length[clashing])
        shuffled._held_out_digests = np.append(shuffled._held_out_digests, digests)
        again = shuffled._with_fresh_shuffles(0)
        assert np.array_equal(again[clashing], shuffled.train.codes[clashing])
        assert np.array_equal(np.delete(again, clashing, axis=0), np.delete(made, clashing, axis=0))
        assert not np.array_equal(again, made)

    def test_are_not_made_of_given_negatives(self, given):
        assert given._with_fresh_shuffles(0) is given.train.codes


class TestClassWeights:
    def test_give_both_classes_the_same_say(self, tmp_path):
        rng = np.random.default_rng(2)
        sequences = ["".join(rng.choice(list("ACGT"), 30)) for _ in range(80)]
        positives, negatives = (
            fasta(tmp_path / "p.fa", sequences[:20]),
            fasta(tmp_path / "n.fa", sequences[20:]),
        )
        encode_fasta(tmp_path / "t.h5", positives, negatives, "X", EncodeOptions(length=30))
        with open_tensors(tmp_path / "t.h5") as tensors:
            data = BindingData(tensors, seed=1)
        n_unbound, n_bound = (data.train.y == 0).sum(), (data.train.y == 1).sum()
        weights = data.class_weights()
        assert (weights.shape, weights.dtype) == ((1, 2), np.float32)
        assert weights[0] * [n_unbound, n_bound] == pytest.approx(data.n_train / 2)

    def test_count_known_labels_only(self, two_factor_tensors):
        with open_tensors(two_factor_tensors) as tensors:
            data = BindingData(tensors, seed=1)
        known = np.isfinite(data.train.y[:, 1]).sum()
        counts = [(data.train.y[:, 1] == label).sum() for label in (0, 1)]
        assert data.class_weights()[1] * counts == pytest.approx(known / 2)


class TestRefused:
    def test_no_validation_part(self, data, tmp_path):
        options = EncodeOptions(length=60, split=(0.9, 0.0, 0.1))
        encode_fasta(tmp_path / "t.h5", data / "positives.fa", None, "CREB", options)
        with (
            open_tensors(tmp_path / "t.h5") as tensors,
            pytest.raises(TfbindError, match=r"t\.h5: no bound sequence of CREB in the validation part"),
        ):
            BindingData(tensors, seed=0)

    @pytest.mark.parametrize(("label", "lacking"), [("1", "unbound"), ("0", "bound"), ("", "bound")])
    def test_a_factor_without_a_class(self, data, tmp_path, label, lacking):
        names = [line[1:].strip() for line in (data / "both.fa").read_text().splitlines() if line[0] == ">"]
        rows = "".join(f"{name}\t{i % 2}\t{label}\n" for i, name in enumerate(names))
        (tmp_path / "l.tsv").write_text("id\tCREB\tSP1\n" + rows)
        encode_labelled(tmp_path / "t.h5", data / "both.fa", tmp_path / "l.tsv", EncodeOptions(length=60))
        with (
            open_tensors(tmp_path / "t.h5") as tensors,
            pytest.raises(TfbindError, match=f"no {lacking} sequence of SP1 in the train part"),
        ):
            BindingData(tensors, seed=0)


class TestFoldsOfTheLinearModel:
    """Overlapping training sequences are in one fold, so that no weights score what they were fitted to."""

    @pytest.fixture
    def loci(self):
        rng = np.random.default_rng(4)
        return ["".join(row) for row in rng.choice(list("ACGT"), (80, 200))]

    def pairs(self, tmp_path, headers, sequences):
        for name, of_label in (("p", slice(0, 80)), ("n", slice(80, 160))):
            text = "".join(
                f">{h}\n{s}\n" for h, s in zip(headers[of_label], sequences[of_label], strict=True)
            )
            (tmp_path / f"{name}.fa").write_text(text)
        options = EncodeOptions(length=60)
        encode_fasta(tmp_path / "t.h5", tmp_path / "p.fa", tmp_path / "n.fa", "X", options)
        with open_tensors(tmp_path / "t.h5") as tensors:
            data = BindingData(tensors, seed=0, tracks=True)
            fold = dict(zip(data.train.id, data.linear.fold.tolist(), strict=True))
        return [{fold.get(f"r{i}"), fold.get(f"r{i + 1}")} for i in range(0, 160, 2)]

    def test_by_the_coordinates_in_the_file(self, tmp_path, loci):
        headers = [
            f"r{i} range=chr1:{1000 * (i // 2) + 40 * (i % 2) + 1}-{1000 * (i // 2) + 60}" for i in range(160)
        ]
        sequences = [locus[shift : shift + 60] for locus in loci for shift in (0, 100)]
        pairs = self.pairs(tmp_path, headers, sequences)
        assert {len(pair) for pair in pairs} == {1}
        assert len(set().union(*pairs)) == 5

    def test_by_their_bases(self, tmp_path, loci):
        sequences = [locus[shift : shift + 60] for locus in loci for shift in (0, 10)]
        pairs = self.pairs(tmp_path, [f"r{i}" for i in range(160)], sequences)
        assert {len(pair) for pair in pairs} == {1}


class TestSketches:
    def test_are_of_the_training_and_validation_sequences_that_are_no_shuffles(self, shuffled):
        n_shuffles = sum((part.parent != "").sum() for part in (shuffled.train, shuffled.held_out))
        found = shuffled.sketches()
        assert len(found.counts) == len(shuffled.train) + len(shuffled.held_out) - n_shuffles
        assert n_shuffles > 0
        first = shuffled.train.sketches(slice(0, 1))
        assert found.hashes[: first.counts[0]].tolist() == first.hashes.tolist()

    def test_keep_given_negatives(self, given):
        assert len(given.sketches().counts) == len(given.train) + len(given.held_out)


def test_parts_share_no_sequence(shuffle_tensors):
    with open_tensors(shuffle_tensors) as tensors:
        train, validation = Part(tensors, TRAIN), Part(tensors, VALIDATION)
    assert len(train) > len(validation) > 0
    assert not np.isin(train.digests(), validation.digests()).any()


class TestShifts:
    def test_shifted(self):
        codes = np.arange(20, dtype=np.uint8).reshape(2, 10)
        flanks = np.array([[[101, 102], [103, 104]], [[201, 202], [203, 204]]], np.uint8)
        moved = shifted(codes, flanks, np.array([10, 10]), np.array([2, -1]))
        assert moved.tolist() == [[*range(2, 10), 103, 104], [202, *range(10, 19)]]
        # a window that is padded stays
        assert (shifted(codes, flanks, np.array([9, 10]), np.array([2, 0])) == codes).all()

    def test_each_epoch_cuts_other_windows_of_the_genome(self, tmp_path):
        letters = "".join(np.random.default_rng(3).choice(list("ACGT"), 6_000))
        (tmp_path / "g.fa").write_text(
            f">1\n{letters}\n>2\n{letters[::-1]}\n>3\n{letters[2000:] + letters[:2000]}\n"
        )
        (tmp_path / "p.bed").write_text(
            "".join(f"{c}\t{s}\t{s + 1}\n" for c in "123" for s in range(250, 5_800, 400))
        )
        options = EncodeOptions(length=40, test_contigs=("2",), validation_contigs=("3",), negative_ratio=2)
        encode_peaks(tmp_path / "t.h5", tmp_path / "p.bed", tmp_path / "g.fa", "x", options)
        with open_tensors(tmp_path / "t.h5") as tensors:
            data = BindingData(tensors, seed=1)
            intervals = tensors.intervals()
        near = {
            letters[start - 8 : end + 8]: label
            for (_, start, end), label in zip(
                [intervals[row] for row in data.train.rows], data.train.y[:, 0].tolist(), strict=True
            )
        }
        seen = []
        for epoch in range(3):
            codes, valid_length, y = epoch_of(data, epoch)
            cut = canonical(codes, valid_length)
            for sequence, label in zip(cut, y[:, 0], strict=True):
                other = sequence[::-1].translate(COMPLEMENT)
                assert [near[wide] for wide in near if sequence in wide or other in wide] == [label]
            seen.append(set(cut))
        assert len(seen[0] & seen[1]) < len(seen[0]) / 3
        assert canonical(*epoch_of(data, 1)[:2]) == canonical(*epoch_of(data, 1)[:2])

    def test_other_flanks_are_other_data(self, given_tensors):
        with open_tensors(given_tensors) as tensors:
            part = Part(tensors, TRAIN)
        before = content_digest(part)
        part.flanks = np.zeros((len(part), 2, 3), np.uint8)
        assert content_digest(part) != before
