import json
from dataclasses import replace

import numpy as np
import pytest

from tfbind.binding.encoding.from_fasta import encode_fasta
from tfbind.binding.evaluation.measure import (
    PAIRED_NOTE,
    SHUFFLES_NOTE,
    evaluate,
    examples_from_fasta,
    examples_from_tensors,
    refuse_seen,
)
from tfbind.binding.model.model import BindingModel
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import decode_letters, encode_letters
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors


def random_sequences(n: int, seed: int = 9) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(row) for row in rng.choice(list("ACGT"), (n, 60))]


def reverse_complement(sequence: str) -> str:
    return sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))


def stored_sequence(tensors_path, part: int) -> str:
    """The first unpadded sequence of a part."""
    with open_tensors(tensors_path) as tensors:
        rows = np.flatnonzero((tensors.split == part) & (tensors.valid_length == 60))
        return decode_letters(tensors.codes(rows[:1])[0])


@pytest.fixture
def fasta(tmp_path):
    def fasta(name: str, sequences: list[str]):
        path = tmp_path / f"{name}.fa"
        path.write_text("".join(f">{name}_{i}\n{sequence}\n" for i, sequence in enumerate(sequences)))
        return path

    return fasta


class TestExamplesFromTensors:
    def test_reads_one_part(self, model, shuffle_tensors):
        found = examples_from_tensors(shuffle_tensors, "test", model)
        with open_tensors(shuffle_tensors) as tensors:
            rows = np.flatnonzero(tensors.split == 2)
            assert found.id.tolist() == tensors.text("id")[rows].tolist()
            assert np.array_equal(found.codes, tensors.codes(rows))
            assert np.array_equal(found.y, tensors.y[rows])
        assert set(found.split) == {"test"}

    def test_a_shuffle_is_in_its_parents_cluster(self, model, shuffle_tensors):
        found = examples_from_tensors(shuffle_tensors, "test", model)
        cluster = dict(zip(found.id, found.cluster.tolist(), strict=True))
        shuffles = [name for name in cluster if "_shuffle_" in name]
        assert shuffles
        assert all(cluster[name] == cluster[name.split("_shuffle_")[0]] for name in shuffles)
        assert len(set(cluster.values())) == len(cluster) - len(shuffles)
        assert found.paired

    def test_records_without_coordinates_are_independent(self, model, given_tensors):
        found = examples_from_tensors(given_tensors, "test", model)
        assert found.cluster is None
        assert not found.paired

    def test_another_encoding_is_refused(self, model, kmer_tensors):
        with pytest.raises(
            TfbindError, match=r"kmer\.h5: found .*kmer.*, expected .*onehot.* as .*one\.keras has"
        ):
            examples_from_tensors(kmer_tensors, "test", model)

    def test_other_factors_are_refused(self, model, two_factor_tensors):
        with pytest.raises(
            TfbindError,
            match=r"two\.h5: found factors CREB, SP1, expected CREB as .*tfbind encode .*--factor",
        ):
            examples_from_tensors(two_factor_tensors, "test", model)

    def test_fewer_factors_are_refused(self, two_factor_model, shuffle_tensors):
        with pytest.raises(TfbindError, match=r"shuffle\.h5: found factors CREB, expected CREB, SP1 as "):
            examples_from_tensors(shuffle_tensors, "test", two_factor_model)

    def test_one_factor_of_another_name_is_taken_with_a_warning(self, model, data, tmp_path, caplog):
        path = tmp_path / "t.h5"
        encode_fasta(path, data / "positives.fa", data / "negatives.fa", "peaks", EncodeOptions(length=60))
        caplog.clear()
        found = examples_from_tensors(path, "test", model)
        assert [record.message for record in caplog.records] == [
            f"{path}: its factor is peaks, the model's is CREB: taken for the same one"
        ]
        assert list(evaluate(model, found, seed=0).metrics) == ["CREB"]

    def test_of_the_same_name_needs_no_warning(self, model, shuffle_tensors, caplog):
        examples_from_tensors(shuffle_tensors, "test", model)
        assert caplog.records == []

    def test_an_empty_part_is_refused(self, model, data, tmp_path):
        options = EncodeOptions(length=60, split=(0.8, 0.2, 0.0))
        encode_fasta(tmp_path / "t.h5", data / "positives.fa", data / "negatives.fa", "CREB", options)
        with pytest.raises(TfbindError, match=r"t\.h5: its test part is empty"):
            examples_from_tensors(tmp_path / "t.h5", "test", model)


class TestFold:
    @pytest.fixture
    def fold_model(self, fold_model_path):
        return BindingModel(fold_model_path, threads=1)

    def test_is_what_the_model_has_not_seen(self, fold_model, fold_tensors):
        found = examples_from_tensors(fold_tensors, "test", fold_model)
        refuse_seen(found, fold_model, "x")
        with open_tensors(fold_tensors, 2) as tensors:
            assert found.id.tolist() == tensors.text("id")[tensors.split == 2].tolist()
            n_seen = (tensors.split < 2).sum()
        assert set(found.split) == {"fold2"}
        assert fold_model.card.training["fold"] == 2
        assert len(fold_model.card.digests) == n_seen == 160 - len(found.id)

    def test_the_other_folds_are_refused(self, fold_model, fold_tensors):
        found = examples_from_tensors(fold_tensors, "train", fold_model)
        assert set(found.split) == {"train"}
        with pytest.raises(TfbindError, match=f"x: {len(found.id)} of {len(found.id)} sequences"):
            refuse_seen(found, fold_model, "x")

    def test_says_how_many_there_are(self, fold_model, fold_tensors):
        found = evaluate(fold_model, examples_from_tensors(fold_tensors, "test", fold_model), seed=0)
        assert found.metrics["CREB"]["n_folds"] == 3

    @pytest.mark.parametrize("folds", [None, 3, 4])
    def test_of_another_file_the_whole_test_part_is_taken(self, fold_model, fasta, tmp_path, folds):
        options = EncodeOptions(length=60, folds=folds, split=(0.5, 0.25, 0.25))
        encode_fasta(tmp_path / "t.h5", fasta("p", random_sequences(40)), None, "CREB", options)
        found = examples_from_tensors(tmp_path / "t.h5", "test", fold_model)
        with open_tensors(tmp_path / "t.h5") as tensors:
            assert found.id.tolist() == tensors.text("id")[tensors.split == 2].tolist()
        assert set(found.split) == {"test"}
        assert "n_folds" not in evaluate(fold_model, found, seed=0).metrics["CREB"]

    def test_another_file_without_a_test_part_is_refused(self, fold_model, fasta, tmp_path):
        options = EncodeOptions(length=60, folds=3, split=(0.8, 0.2, 0.0))
        encode_fasta(tmp_path / "t.h5", fasta("p", random_sequences(40)), None, "CREB", options)
        with pytest.raises(
            TfbindError, match=r"t\.h5: its test part is empty, and it is not the file whose fold"
        ):
            examples_from_tensors(tmp_path / "t.h5", "test", fold_model)


class TestExamplesFromFasta:
    def test_independent_sequences(self, model, fasta):
        positives, negatives = fasta("p", random_sequences(5)), fasta("n", random_sequences(7, seed=10))
        found = examples_from_fasta(positives, negatives, model)
        assert found.id.tolist() == [*(f"p_{i}" for i in range(5)), *(f"n_{i}" for i in range(7))]
        assert found.y[:, 0].tolist() == [1] * 5 + [0] * 7
        assert found.cluster is None
        assert not found.paired

    def test_shuffles_of_the_positives_are_noticed(self, model, fasta):
        sequences = random_sequences(12)
        codes = np.array([encode_letters(sequence) for sequence in sequences])
        made = dinucleotide_shuffle(codes, np.full(12, 60, np.int32), np.arange(12, dtype=np.uint64))
        positives = fasta("p", sequences)
        negatives = fasta("n", [decode_letters(row) for row in made][::-1])
        found = examples_from_fasta(positives, negatives, model)
        assert found.paired
        assert found.cluster[:12].tolist() == found.cluster[12:][::-1].tolist()
        assert len(set(found.cluster)) == 12
        assert PAIRED_NOTE in evaluate(model, found, seed=0).notes

    def test_names_that_are_in_both_files(self, model, tmp_path):
        for name, ids, seed in (("p", "012", 9), ("n", "130", 10)):
            rows = zip(ids, random_sequences(3, seed), strict=True)
            (tmp_path / f"{name}.fa").write_text("".join(f">{id}\n{sequence}\n" for id, sequence in rows))
        found = examples_from_fasta(tmp_path / "p.fa", tmp_path / "n.fa", model)
        assert found.id.tolist() == ["0", "1", "2", "1_negative", "3", "0_negative"]

    def test_a_name_that_is_given_twice_in_a_file_is_refused(self, model, tmp_path, fasta):
        (tmp_path / "twice.fa").write_text(">a\nACGTACGTACGT\n>b\nACGTACGTACGT\n>a\nACGTACGTACGT\n")
        with pytest.raises(
            TfbindError, match=r"twice\.fa: record 'a' is given twice, expected each name once"
        ):
            examples_from_fasta(fasta("p", random_sequences(2)), tmp_path / "twice.fa", model)

    def test_a_model_of_several_factors_is_refused(self, two_factor_model, data):
        with pytest.raises(TfbindError, match=r"two\.keras knows 2 factors: .*use --tensors"):
            examples_from_fasta(data / "positives.fa", data / "negatives.fa", two_factor_model)


class TestRefuseSeen:
    def test_unseen_sequences_pass(self, model, fasta, shuffle_tensors):
        found = examples_from_fasta(
            fasta("p", random_sequences(5)), fasta("n", random_sequences(5, 10)), model
        )
        refuse_seen(found, model, "x")
        refuse_seen(examples_from_tensors(shuffle_tensors, "test", model), model, "x")

    @pytest.mark.parametrize("turn", [str, reverse_complement])
    @pytest.mark.parametrize("part", [0, 1], ids=["train", "validation"])
    @pytest.mark.parametrize(
        ("which", "tensors"),
        [("model", "shuffle_tensors"), ("kmer_model", "kmer_tensors")],
        ids=["onehot", "kmer"],
    )
    def test_a_planted_one_is_named(self, request, fasta, turn, part, which, tensors):
        model, path = request.getfixturevalue(which), request.getfixturevalue(tensors)
        planted = [*random_sequences(3), turn(stored_sequence(path, part))]
        found = examples_from_fasta(fasta("p", planted), fasta("n", random_sequences(4, 10)), model)
        with pytest.raises(TfbindError, match=r"^x: 1 of 8 sequences, such as 'p_3',.*--allow-overlap"):
            refuse_seen(found, model, "x")

    def test_a_sequence_that_kmers_tell_in_part_is_known_again(self, kmer_model, data, fasta):
        # the 3-mer round an N hides two bases more
        lines = (data / "positives.fa").read_text().splitlines()
        planted = [line for line in lines if "N" in line]
        assert len(planted) == 5
        found = examples_from_fasta(fasta("p", planted), fasta("n", random_sequences(4, 10)), kmer_model)
        with pytest.raises(TfbindError, match=r"^x: [345] of 9 sequences, such as 'p_"):
            refuse_seen(found, kmer_model, "x")

    @pytest.mark.parametrize("split", ["train", "validation"])
    def test_the_models_own_parts_are_refused(self, model, shuffle_tensors, split):
        found = examples_from_tensors(shuffle_tensors, split, model)
        with pytest.raises(TfbindError, match=f"x: {len(found.id)} of {len(found.id)} sequences"):
            refuse_seen(found, model, "x")


class TestOverlapping:
    """Windows shifted by a few bases from training windows, among sequences that the model has not seen."""

    N = 400

    @pytest.fixture
    def examples(self, model, fasta, shuffle_tensors):
        """Make examples of which the first ``n`` overlap training sequences, each by 50 bases of 60."""

        def examples(n, turn=str):
            with open_tensors(shuffle_tensors) as tensors:
                bound = (tensors.split < 2) & (tensors.text("parent") == "") & (tensors.valid_length == 60)
                stored = [decode_letters(row) for row in tensors.codes(np.flatnonzero(bound))]
            stored = [sequence for sequence in stored if "N" not in sequence][:n]
            shifted = [
                turn(s[10:] + other[:10]) for s, other in zip(stored, random_sequences(n), strict=True)
            ]
            positives = fasta("p", shifted + random_sequences(self.N // 2 - n, 12))
            return examples_from_fasta(positives, fasta("n", random_sequences(self.N // 2, 10)), model)

        return examples

    @pytest.mark.parametrize("turn", [str, reverse_complement])
    def test_more_than_one_in_a_hundred_are_refused(self, model, examples, turn):
        with pytest.raises(
            TfbindError,
            match=r"^x: 5 of 400 sequences, such as 'p_0', overlap sequences in the training or validation set of"
            r" .*one\.keras, expected at most 1%; --allow-overlap evaluates all the same$",
        ):
            refuse_seen(examples(5, turn), model, "x")

    def test_fewer_are_left_out_and_noted(self, model, examples):
        found = refuse_seen(examples(4), model, "x")
        assert np.flatnonzero(found.seen).tolist() == [0, 1, 2, 3]
        evaluation = evaluate(model, found, seed=0)
        metrics = evaluation.metrics["CREB"]
        assert (metrics["n_seen"], metrics["n_not_scored"], metrics["n_positive"]) == (4, 4, 196)
        assert np.flatnonzero(evaluation.predictions["score"].isna()).tolist() == [0, 1, 2, 3]
        assert evaluation.notes[-1] == (
            "4 of 400 sequences were in the training or validation set of the model or overlap a sequence in it. They"
            " have no score and are left out of all figures."
        )

    def test_all_are_evaluated_if_allowed(self, model, examples):
        evaluation = evaluate(model, refuse_seen(examples(9), model, "x", allow=True), seed=0)
        metrics = evaluation.metrics["CREB"]
        assert (metrics["n_seen"], metrics["n_not_scored"], metrics["n_positive"]) == (9, 0, 200)
        assert evaluation.notes[-1].startswith("9 of 400 sequences were in")
        assert evaluation.notes[-1].endswith("because of --allow-overlap: the figures may be too good.")

    def test_equal_ones_count_too_if_allowed(self, model, shuffle_tensors):
        found = refuse_seen(examples_from_tensors(shuffle_tensors, "train", model), model, "x", allow=True)
        assert evaluate(model, found, seed=0).metrics["CREB"]["n_seen"] == len(found.id)

    def test_unlabelled_ones_do_not_count(self, model, examples):
        found = refuse_seen(examples(4), model, "x")
        found.y[0] = np.nan
        assert evaluate(model, found, seed=0).metrics["CREB"]["n_seen"] == 3

    def test_the_test_part_has_none(self, model, shuffle_tensors):
        found = refuse_seen(examples_from_tensors(shuffle_tensors, "test", model), model, "x")
        evaluation = evaluate(model, found, seed=0)
        assert evaluation.metrics["CREB"]["n_seen"] == 0
        assert evaluation.notes == [SHUFFLES_NOTE, PAIRED_NOTE]

    def test_a_model_without_minimizers_is_said_to_have_none(self, model_path, examples, caplog):
        model = BindingModel(model_path, threads=1)
        model.card = replace(model.card, sketches=None)
        found = examples(5)
        caplog.clear()
        with caplog.at_level("INFO"):
            found = refuse_seen(found, model, "x")
        assert [record.message for record in caplog.records] == [
            f"{model_path}: holds no minimizers of its training sequences, so only equal sequences were looked for"
        ]
        metrics = evaluate(model, found, seed=0).metrics["CREB"]
        assert (metrics["n_seen"], metrics["n_not_scored"]) == (None, 0)


class TestEvaluate:
    def test_measures_each_factor_on_its_known_labels(self, two_factor_model, two_factor_tensors):
        examples = examples_from_tensors(two_factor_tensors, "test", two_factor_model)
        examples.y[0, 1] = np.nan
        found = evaluate(two_factor_model, examples, seed=0)
        assert list(found.metrics) == list(found.roc) == list(found.pr) == ["CREB", "SP1"]
        for index, factor in enumerate(("CREB", "SP1")):
            label = examples.y[:, index]
            metrics = found.metrics[factor]
            assert (metrics["n_positive"], metrics["n_negative"]) == ((label == 1).sum(), (label == 0).sum())
            assert metrics["threshold"] == two_factor_model.card.threshold[index]
        table = found.predictions
        assert list(table.columns) == ["id", "factor", "label", "score", "split", "cluster"]
        assert len(table) == 2 * len(examples.id)
        assert table["score"].between(0, 1).all()
        assert set(table["cluster"]) == {""}
        assert table["label"].isna().sum() == np.isnan(examples.y).sum() > 0
        assert found.notes == []

    def test_a_factor_without_known_labels_has_no_areas(self, two_factor_model, two_factor_tensors):
        examples = examples_from_tensors(two_factor_tensors, "test", two_factor_model)
        examples.y[:, 1] = np.nan
        metrics = evaluate(two_factor_model, examples, seed=0).metrics
        assert metrics["CREB"]["auroc"] is not None
        assert metrics["SP1"]["auroc"] is metrics["SP1"]["auroc_ci95"] is metrics["SP1"]["brier"] is None
        json.dumps(metrics, allow_nan=False)

    def test_what_cannot_be_scored_has_no_score(self, model, fasta):
        positives = fasta("p", [*random_sequences(4), "N" * 60, "ACGTACGTA"])
        examples = examples_from_fasta(positives, fasta("n", random_sequences(4, 10)), model)
        found = evaluate(model, examples, seed=0)
        missing = found.predictions["score"].isna()
        assert found.predictions["id"][missing].tolist() == ["p_4", "p_5"]
        assert (found.metrics["CREB"]["n_positive"], found.metrics["CREB"]["n_not_scored"]) == (4, 2)

    def test_says_that_the_model_learned_shuffles(self, model, shuffle_tensors):
        found = evaluate(model, examples_from_tensors(shuffle_tensors, "test", model), seed=0)
        assert found.notes == [SHUFFLES_NOTE, PAIRED_NOTE]

    def test_and_that_shuffles_which_the_user_made_are_shuffles(self, fasta, train_small, tmp_path):
        sequences = random_sequences(60)
        codes = np.array([encode_letters(sequence) for sequence in sequences])
        made = dinucleotide_shuffle(codes, np.full(60, 60, np.int32), np.arange(60, dtype=np.uint64))
        positives, negatives = fasta("p", sequences), fasta("n", [decode_letters(row) for row in made])
        encode_fasta(tmp_path / "t.h5", positives, negatives, "CREB", EncodeOptions(length=60))
        train_small(tmp_path / "t.h5", tmp_path / "m.keras", epochs=1)
        model = BindingModel(tmp_path / "m.keras", threads=1)
        found = evaluate(model, examples_from_tensors(tmp_path / "t.h5", "test", model), seed=0)
        assert found.notes == [SHUFFLES_NOTE, PAIRED_NOTE]
        with pytest.raises(TfbindError, match=r"was trained on shuffles, .* so --prevalence has no meaning"):
            BindingModel(tmp_path / "m.keras", prevalence=0.01)

    def test_names_the_cluster_of_a_shuffle_and_its_parent(self, model, shuffle_tensors):
        examples = examples_from_tensors(shuffle_tensors, "test", model)
        assert evaluate(model, examples, seed=0).predictions["cluster"].tolist() == [
            str(cluster) for cluster in examples.cluster
        ]

    def test_same_seed_same_intervals(self, model, shuffle_tensors):
        examples = examples_from_tensors(shuffle_tensors, "test", model)
        one, same, other = (evaluate(model, examples, seed).metrics["CREB"] for seed in (0, 0, 1))
        assert one == same
        assert one["auroc"] == other["auroc"]
        assert one["auroc_ci95"] != other["auroc_ci95"]
