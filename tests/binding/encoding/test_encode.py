import json
from dataclasses import replace

import numpy as np
import pytest

from tfbind.binding.encoding.from_fasta import encode_fasta
from tfbind.binding.encoding.from_labels import encode_labelled
from tfbind.binding.encoding.from_peaks import encode_peaks
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import decode_letters, encode_letters, reverse_complement
from tfbind.dna.coordinates import parse_coordinates
from tfbind.dna.shuffle import dinucleotide_counts, dinucleotide_shuffle
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors

LENGTH = 30


class Encoded:
    """All of a tensors file and its summary, in memory."""

    def __init__(self, path):
        with open_tensors(path) as tensors:
            self.tasks, self.attributes = tensors.tasks, tensors.attributes
            self.y, self.split, self.valid_length = tensors.y, tensors.split, tensors.valid_length
            self.codes = tensors.codes(np.arange(len(tensors)))
            self.id, self.group, self.parent = map(tensors.text, ("id", "group", "parent"))
        self.summary = json.loads(path.with_suffix(".summary.json").read_text())
        self.row = {name: row for row, name in enumerate(self.id)}
        assert len(self.row) == len(self.id), "ids repeat"
        for index, factor in enumerate(self.tasks):
            for number, part in enumerate(("train", "validation", "test")):
                y = self.y[self.split == number, index]
                counted = {"unbound": int((y == 0).sum()), "bound": int((y == 1).sum())}
                assert self.summary["parts"][factor][part] == counted

    def sequence(self, row):
        return decode_letters(self.codes[row, : self.valid_length[row]])


def random_sequences(n, length=LENGTH, seed=0):
    rng = np.random.default_rng(seed)
    return [decode_letters(row) for row in rng.integers(0, 4, (n, length))]


def shuffled(sequences):
    codes = np.stack([encode_letters(sequence) for sequence in sequences])
    n, length = codes.shape
    return [
        decode_letters(row)
        for row in dinucleotide_shuffle(codes, np.full(n, length), np.arange(n, dtype=np.uint64))
    ]


def turned(sequence):
    codes = encode_letters(sequence)[None]
    return decode_letters(reverse_complement(codes, np.array([len(sequence)]))[0])


@pytest.fixture
def fasta(tmp_path):
    def write(sequences, name="p.fa"):
        if not isinstance(sequences, dict):
            sequences = {f"{name[0]}{i}": sequence for i, sequence in enumerate(sequences)}
        path = tmp_path / name
        path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in sequences.items()))
        return path

    return write


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out" / "t.h5"


def options(**changed):
    return EncodeOptions(**{"length": LENGTH, **changed})


class TestShuffledNegatives:
    @pytest.mark.parametrize(("ratio", "n"), [(0.5, 20), (1, 40), (2.5, 100)])
    def test_counts_parents_and_parts(self, fasta, output, ratio, n):
        encode_fasta(output, fasta(random_sequences(40)), None, "CTCF", options(negative_ratio=ratio))
        found = Encoded(output)
        assert found.tasks == ("CTCF",)
        shuffles = np.flatnonzero(found.parent != "")
        assert len(shuffles) == n
        assert len(found.id) == 40 + n
        assert (found.y[:, 0] == (found.parent == "")).all()
        parents = [found.row[found.parent[row]] for row in shuffles]
        assert (found.split[shuffles] == found.split[parents]).all()
        assert (found.codes[shuffles] != found.codes[parents]).any(axis=1).all()
        counts = dinucleotide_counts(found.codes, found.valid_length)
        assert (counts[shuffles] == counts[parents]).all()
        assert found.summary["negative_method"] == found.attributes["negative_method"] == "dinucleotide"
        assert found.summary["counts"] == {"records": 40, "shuffles made": n}

    def test_batches_do_not_matter(self, fasta, tmp_path, monkeypatch):
        path = fasta(random_sequences(50))
        encode_fasta(tmp_path / "a.h5", path, None, "x", options(negative_ratio=1.5))
        monkeypatch.setattr("tfbind.dna.fasta.BATCH_RECORDS", 7)
        encode_fasta(tmp_path / "b.h5", path, None, "x", options(negative_ratio=1.5))
        a, b = Encoded(tmp_path / "a.h5"), Encoded(tmp_path / "b.h5")
        assert {name: (a.sequence(row), a.split[row], a.parent[row]) for name, row in a.row.items()} == {
            name: (b.sequence(row), b.split[row], b.parent[row]) for name, row in b.row.items()
        }

    def test_same_seed_same_file_another_seed_another_split(self, fasta, tmp_path):
        path = fasta(random_sequences(100))
        for name, seed in (("a", 0), ("b", 0), ("c", 1)):
            encode_fasta(tmp_path / f"{name}.h5", path, None, "x", options(seed=seed))
        assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
        a, c = Encoded(tmp_path / "a.h5"), Encoded(tmp_path / "c.h5")
        assert (a.split != c.split).any()
        shuffles = a.parent != ""
        assert (a.codes[~shuffles] == c.codes[~shuffles]).all()
        assert (a.codes[shuffles] != c.codes[shuffles]).any(axis=1).all()

    def test_low_complexity_has_no_other_shuffle(self, fasta, output):
        sequences = ["A" * LENGTH, "AC" * 15, "N" * LENGTH, *random_sequences(7)]
        encode_fasta(output, fasta(sequences), None, "x", options(negative_ratio=2))
        found = Encoded(output)
        assert len(found.id) == 10 + 14
        assert not {"p0", "p1", "p2"} & set(found.parent)
        assert found.summary["counts"]["shuffles left out because they equal another sequence"] == 6

    def test_nothing_but_low_complexity(self, fasta, output):
        encode_fasta(output, fasta(["A" * LENGTH, "C" * LENGTH]), None, "x", options())
        assert Encoded(output).y.tolist() == [[1], [1]]

    def test_ambiguous_bases_and_padding_stay(self, fasta, output):
        encode_fasta(output, fasta(["ACGTTGCANNACGGTACA", "acguuacggtrac"]), None, "x", options())
        found = Encoded(output)
        for row in np.flatnonzero(found.parent != ""):
            parent = found.row[found.parent[row]]
            assert found.valid_length[row] == found.valid_length[parent]
            assert ((found.codes[row] == 4) == (found.codes[parent] == 4)).all()
        assert found.summary["counts"]["records padded"] == 2
        assert found.summary["counts"]["records with ambiguous bases"] == 2


class TestGivenNegatives:
    def test_positives_and_negatives(self, fasta, output):
        positives = fasta(random_sequences(30))
        negatives = fasta(random_sequences(60, 40, seed=1), "n.fa")
        encode_fasta(output, positives, negatives, "CTCF", options())
        found = Encoded(output)
        assert (found.y[:, 0] == [1] * 30 + [0] * 60).all()
        assert set(found.parent) == {""}
        assert found.valid_length.tolist() == [30] * 90
        assert [found.sequence(row) for row in range(30)] == random_sequences(30)
        # 40 bases lose 5 at each end
        assert [found.sequence(30 + i) for i in range(60)] == [
            s[5:35] for s in random_sequences(60, 40, seed=1)
        ]
        source = json.loads(found.attributes["source"])
        assert [entry["name"] for entry in source] == ["p.fa", "n.fa"]
        assert found.summary["negative_method"] == "given"

    def test_each_class_has_the_fractions(self, fasta, output):
        encode_fasta(
            output, fasta(random_sequences(100)), fasta(random_sequences(300, seed=1), "n.fa"), "x", options()
        )
        parts = Encoded(output).summary["parts"]["x"]
        for name, fraction in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
            assert parts[name]["bound"] == pytest.approx(100 * fraction, abs=2)
            assert parts[name]["unbound"] == pytest.approx(300 * fraction, abs=2)

    def test_planted_duplicate_and_reverse_complement_stay_together(self, fasta, output):
        unique = random_sequences(60)
        positives = fasta([*unique, *map(turned, unique[:10])])
        negatives = fasta(unique[20:40], "n.fa")
        for seed in range(5):
            encode_fasta(output, positives, negatives, "x", options(seed=seed, split=(0.4, 0.3, 0.3)))
            found = Encoded(output)
            assert (found.split[:10] == found.split[60:70]).all()
            assert (found.split[20:40] == found.split[70:90]).all()
        assert found.summary["counts"]["sequences both bound and unbound"] == 20
        together = "records kept together with an equal, reverse complementary, shuffled or overlapping one"
        assert found.summary["counts"][together] == 60

    def test_given_shuffles_stay_with_the_positives_that_they_were_made_from(self, fasta, output):
        positives = random_sequences(60)
        negatives = fasta(shuffled(positives), "n.fa")
        encode_fasta(output, fasta(positives), negatives, "x", options(split=(0.4, 0.3, 0.3)))
        found = Encoded(output)
        assert (found.split[:60] == found.split[60:]).all()

    @pytest.mark.parametrize(("n_shuffled", "method"), [(21, "dinucleotide"), (20, "given")])
    def test_count_as_shuffles_where_most_of_them_are(self, fasta, output, caplog, n_shuffled, method):
        caplog.set_level("INFO")
        positives = random_sequences(40)
        negatives = [*shuffled(positives[:n_shuffled]), *random_sequences(40 - n_shuffled, seed=1)]
        encode_fasta(output, fasta(positives), fasta(negatives, "n.fa"), "x", options())
        found = Encoded(output)
        assert found.attributes["negative_method"] == found.summary["negative_method"] == method
        # which positive each was made from nobody said
        assert set(found.parent) == {""}
        assert caplog.text.count("stored as shuffles (negative_method dinucleotide)") == (n_shuffled == 21)


class TestFolds:
    def folds(self, path):
        """Fold of each record, by reading each fold's test part."""
        fold = np.zeros(len(Encoded(path).id), int)
        for number in (1, 2, 3):
            with open_tensors(path, number) as tensors:
                assert not fold[tensors.split == 2].any()
                fold[tensors.split == 2] = number
        return fold

    def test_of_all_but_the_test_part(self, fasta, output):
        encode_fasta(output, fasta(random_sequences(90)), None, "x", options(folds=3))
        found, fold = Encoded(output), self.folds(output)
        assert (fold[found.split == 2] == 0).all()
        assert (fold[found.split != 2] > 0).all()
        # each has its share of the validation part
        assert np.ptp(np.bincount(fold[found.split == 1])[1:]) <= 2
        counts = {str(n): int((fold == n).sum()) // 2 for n in (1, 2, 3)}
        assert found.summary["folds"]["x"] == {name: {"unbound": n, "bound": n} for name, n in counts.items()}

    def test_of_everything_where_there_is_no_test_part(self, fasta, output):
        encode_fasta(output, fasta(random_sequences(60)), None, "x", options(folds=3, split=(0.9, 0.1, 0)))
        assert (self.folds(output) > 0).all()

    def test_what_is_related_stays_in_one(self, fasta, output):
        unique = random_sequences(60)
        positives, negatives = fasta([*unique, *map(turned, unique[:20])]), fasta(unique[20:40], "n.fa")
        encode_fasta(output, positives, negatives, "x", options(folds=3))
        fold = self.folds(output)
        assert (fold[:20] == fold[60:80]).all()
        assert (fold[20:40] == fold[80:100]).all()

    def test_a_shuffle_is_with_its_parent(self, fasta, output):
        encode_fasta(output, fasta(random_sequences(40)), None, "x", options(folds=3, negative_ratio=2))
        found, fold = Encoded(output), self.folds(output)
        shuffles = np.flatnonzero(found.parent != "")
        assert (fold[shuffles] == fold[[found.row[found.parent[row]] for row in shuffles]]).all()

    def test_leave_the_parts_as_they_are(self, fasta, tmp_path):
        path = fasta(random_sequences(40))
        for name, folds in (("a", None), ("b", 3)):
            encode_fasta(tmp_path / f"{name}.h5", path, None, "x", options(folds=folds))
        a, b = Encoded(tmp_path / "a.h5"), Encoded(tmp_path / "b.h5")
        assert (a.split == b.split).all()
        assert (a.codes == b.codes).all()

    def test_one_without_a_class_is_told(self, fasta, output, caplog):
        positives, negatives = fasta(random_sequences(30)), fasta(random_sequences(2, seed=1), "n.fa")
        encode_fasta(output, positives, negatives, "x", options(folds=3, split=(0.9, 0.1, 0)))
        assert caplog.text.count("lacks a class, so no ROC can be drawn of it") == 1

    def test_more_than_there_are_groups(self, fasta, output):
        positives, negatives = fasta(random_sequences(2)), fasta(random_sequences(2, seed=1), "n.fa")
        with pytest.raises(
            TfbindError, match=r"p\.fa and .*n\.fa: --folds 9: found 4 groups of related records"
        ):
            encode_fasta(output, positives, negatives, "x", options(folds=9, split=(1, 0, 0)))


class TestNames:
    def test_twice_in_a_file(self, tmp_path, output):
        path = tmp_path / "p.fa"
        path.write_text(">a\nACGT\n>b\nACGG\n>a\nACCC\n")
        with pytest.raises(TfbindError, match=r"p\.fa: record 'a' is given twice, expected each name once"):
            encode_fasta(output, path, None, "x", options())

    def test_in_both_files(self, fasta, output, caplog):
        positives = fasta({"a": "ACGTAAC", "b": "CC", "chr1:0-6": "ACCACC", "d": "GTTA"})
        negatives = fasta({"c": "ACGTTTT", "b": "GG", "chr1:0-6": "ACCTTT", "b_negative": "TTTT"}, "n.fa")
        with caplog.at_level("INFO"):
            encode_fasta(output, positives, negatives, "x", options())
        found = Encoded(output)
        assert found.id.tolist() == [
            *("a", "b", "chr1:0-6", "d"),
            *("c", "b_negative2", "chr1:0-6_negative", "b_negative"),
        ]
        assert found.sequence(found.row["b_negative2"]) == "GG"
        assert found.group[found.row["chr1:0-6_negative"]] == "chr1"
        assert "n.fa: 2 names are in " in caplog.text
        assert "(b is now b_negative2)" in caplog.text

    def test_twice_in_the_negatives(self, fasta, tmp_path, output):
        (tmp_path / "n.fa").write_text(">b\nAC\n>b\nCC\n")
        with pytest.raises(TfbindError, match=r"n\.fa: record 'b' is given twice"):
            encode_fasta(output, fasta({"a": "ACGT"}), tmp_path / "n.fa", "x", options())

    def test_invalid_records_are_left_out_and_counted(self, fasta, output, caplog):
        sequences = {f"r{number}": sequence for number, sequence in enumerate(random_sequences(20))}
        plain, wrong = fasta(sequences), fasta({"x": "AC*T"} | sequences | {"y": ""}, "wrong.fa")
        encode_fasta(output, plain, None, "x", options())
        expected, expected_counts = Encoded(output), Encoded(output).summary["counts"]
        encode_fasta(output, wrong, None, "x", options(skip_invalid=True))
        found = Encoded(output)
        assert found.id.tolist() == expected.id.tolist()
        assert (found.codes == expected.codes).all()
        assert (found.split == expected.split).all()
        assert found.summary["counts"] == expected_counts | {"records left out by --skip-invalid": 2}
        assert "left out 2 records (first: " in caplog.text
        assert "record 'x': found '*' at position 3" in caplog.text


class TestFailure:
    @pytest.mark.parametrize("text", ["", ">a\n", ">a\nACGT\n>b\nAXGT\n", "ACGT\n", ">a\nAC\n>\nAC\n"])
    def test_leaves_nothing(self, tmp_path, output, text):
        path = tmp_path / "p.fa"
        path.write_text(text)
        with pytest.raises(TfbindError, match=r"p\.fa: "):
            encode_fasta(output, path, None, "x", options())
        assert not output.parent.exists() or list(output.parent.iterdir()) == []

    def test_in_the_second_pass_leaves_the_old_file(self, fasta, output, monkeypatch):
        path = fasta(random_sequences(20))
        encode_fasta(output, path, None, "x", options())
        before = {path: path.read_bytes() for path in output.parent.iterdir()}

        def fail(*_, **__):
            raise KeyboardInterrupt

        monkeypatch.setattr("tfbind.tensors.TensorsWriter.append", fail)
        with pytest.raises(KeyboardInterrupt):
            encode_fasta(output, path, None, "x", options(seed=1))
        assert {path: path.read_bytes() for path in output.parent.iterdir()} == before


class TestLabelled:
    def test_several_factors(self, fasta, tmp_path, output):
        labels = tmp_path / "labels.tsv"
        labels.write_text("id\tA\tB\nr3\t\t\nr1\t0\t\nr2\t\t1\nr0\t1\t0\nelsewhere\t1\t1\n")
        encode_labelled(output, fasta(random_sequences(4), "r.fa"), labels, options())
        found = Encoded(output)
        assert found.tasks == ("A", "B")
        assert found.id.tolist() == ["r0", "r1", "r2", "r3"]
        np.testing.assert_array_equal(found.y, [[1, 0], [0, np.nan], [np.nan, 1], [np.nan, np.nan]])
        assert found.summary["counts"]["labels without a record"] == 1
        assert found.attributes["negative_method"] == "given"

    def test_shuffles_among_them(self, fasta, tmp_path, output):
        positives, labels = random_sequences(4), tmp_path / "labels.tsv"
        labels.write_text("id\tA\tB\n" + "".join(f"r{i}\t{i % 2}\t{1 - i % 2}\n" for i in range(4)))
        with labels.open("a") as handle:
            handle.write("".join(f"r{i}\t0\t0\n" for i in range(4, 8)))
        encode_labelled(output, fasta([*positives, *shuffled(positives)], "r.fa"), labels, options())
        assert Encoded(output).attributes["negative_method"] == "dinucleotide"

    def test_record_without_a_line(self, fasta, tmp_path, output):
        labels = tmp_path / "labels.tsv"
        labels.write_text("id\tA\nr0\t1\n")
        with pytest.raises(TfbindError, match="no line for record 'r1'"):
            encode_labelled(output, fasta(random_sequences(2), "r.fa"), labels, options())


class TestKmers:
    def test_tokens(self, fasta, output):
        path = fasta(random_sequences(10, 25))
        encode_fasta(output, path, None, "x", options(encoding="kmer", k=4, stride=2))
        found = Encoded(output)
        assert (found.attributes["encoding"], found.attributes["k"], found.attributes["stride"]) == (
            "kmer",
            4,
            2,
        )
        # of 25 bases the k-mers of 4 every 2 bases tell the first 24
        assert decode_letters(found.codes[0]) == random_sequences(10, 25)[0][:24] + "N" * 6


class TestHeldOutContigs:
    def named(self, n_each=10):
        sequences = iter(random_sequences(3 * n_each))
        return {
            f"chr{c}:{i * 100}-{i * 100 + LENGTH}": next(sequences) for c in (1, 2, 10) for i in range(n_each)
        }

    def test_whole_contigs(self, fasta, output):
        held_out = options(test_contigs=("chr1",), validation_contigs=("chr2",))
        encode_fasta(output, fasta(self.named()), None, "x", held_out)
        found = Encoded(output)
        assert set(zip(found.group, found.split.tolist(), strict=True)) == {
            ("chr1", 2),
            ("chr2", 1),
            ("chr10", 0),
        }

    def test_validation_is_dealt_where_only_test_is_named(self, fasta, output):
        encode_fasta(output, fasta(self.named(50)), None, "x", options(test_contigs=("chr1",)))
        found = Encoded(output)
        assert (found.split[found.group == "chr1"] == 2).all()
        rest = found.split[found.group != "chr1"]
        assert set(rest) == {0, 1}
        assert (rest == 1).mean() == pytest.approx(1 / 9, abs=0.03)

    def test_duplicate_across_contigs_is_held_out_whole(self, fasta, output):
        sequences = self.named()
        sequences["chr10:0-30"] = turned(sequences["chr1:100-130"])
        encode_fasta(output, fasta(sequences), None, "x", options(test_contigs=("chr1",)))
        found = Encoded(output)
        assert found.split[found.row["chr10:0-30"]] == 2

    def test_overlapping_records_stay_together(self, fasta, output):
        sequences = random_sequences(30)
        names = [f"chr1:{i * 1000 + shift}-{i * 1000 + shift + 30}" for i in range(15) for shift in (0, 29)]
        for seed in range(3):
            encode_fasta(
                output,
                fasta(dict(zip(names, sequences, strict=True))),
                None,
                "x",
                options(seed=seed, split=(0.4, 0.3, 0.3)),
            )
            found = Encoded(output)
            assert all(
                found.split[found.row[a]] == found.split[found.row[b]]
                for a, b in zip(names[::2], names[1::2], strict=True)
            )

    def test_unknown_contig(self, fasta, output):
        with pytest.raises(
            TfbindError, match=r"'chr3'\) are not in .*\.fa \(its contigs: 'chr1', 'chr10', 'chr2'\)$"
        ):
            encode_fasta(output, fasta(self.named()), None, "x", options(test_contigs=("chr3",)))

    def test_name_without_coordinates(self, fasta, output):
        sequences = self.named() | {"mine": "ACGT"}
        with pytest.raises(TfbindError, match=r"p\.fa: record 'mine' has no coordinates in its header"):
            encode_fasta(output, fasta(sequences), None, "x", options(test_contigs=("chr1",)))


class TestOverlaps:
    """Records that overlap, by their coordinates or their bases, go to one part together, and the summary says so."""

    LENGTH = 60

    def windows(self, n_loci=30, shifts=(0, 15)):
        loci = random_sequences(n_loci, 2 * self.LENGTH)
        return [locus[shift : shift + self.LENGTH] for locus in loci for shift in shifts]

    def encode(self, output, path, **changed):
        encode_fasta(output, path, None, "x", options(length=self.LENGTH, split=(0.4, 0.3, 0.3), **changed))
        return Encoded(output)

    def test_by_their_bases(self, fasta, output):
        sequences = self.windows()
        sequences[1::4] = map(turned, sequences[1::4])
        found = self.encode(output, fasta(sequences))
        part = found.split[[found.row[f"p{i}"] for i in range(60)]]
        assert (part[::2] == part[1::2]).all()
        assert set(part) == {0, 1, 2}
        assert found.summary["counts"] == {
            "records": 60,
            "shuffles made": 60,
            "records that overlap another one by their bases": 60,
            "records kept together with an equal, reverse complementary, shuffled or overlapping one": 60,
        }

    def test_by_their_coordinates(self, fasta, output):
        # 40 bases apart the windows share too little to be found by their bases
        headers = [
            f"r{i} range=chr1:{1000 * (i // 2) + 40 * (i % 2) + 1}-{1000 * (i // 2) + 40 * (i % 2) + 60}"
            for i in range(60)
        ]
        sequences = dict(zip(headers, self.windows(shifts=(0, 40)), strict=True))
        found = self.encode(output, fasta(sequences))
        part = found.split[[found.row[f"r{i}"] for i in range(60)]]
        assert (part[::2] == part[1::2]).all()
        counts = found.summary["counts"]
        assert counts["records with coordinates"] == 60
        assert counts["records that overlap another one by their coordinates"] == 60
        assert "records that overlap another one by their bases" not in counts

    def test_in_another_spelling_of_the_contig(self, fasta, output):
        sequences = random_sequences(20, self.LENGTH)
        headers = [f"chr1:{1000 * i}-{1000 * i + 60}" for i in range(10)]
        headers += [f"r{i} chromosome:R64:1:{1000 * i + 50}:{1000 * i + 109}:1" for i in range(10)]
        found = self.encode(output, fasta(dict(zip(headers, sequences, strict=True))))
        assert set(found.group) == {"chr1"}
        assert all(found.split[found.row[headers[i]]] == found.split[found.row[f"r{i}"]] for i in range(10))

    def test_made_negatives_have_the_interval_of_their_positive(self, fasta, output):
        a, b = random_sequences(2, self.LENGTH)
        self.encode(output, fasta({"a range=chr1:11-70": a, "b": b}))
        with open_tensors(output) as tensors:
            found = dict(zip(tensors.text("id"), tensors.intervals(), strict=True))
        assert found == {
            "a": ("chr1", 10, 70),
            "a_shuffle_1": ("chr1", 10, 70),
            "b": None,
            "b_shuffle_1": None,
        }


class TestPeaks:
    @pytest.fixture
    def genome(self, fasta):
        return fasta(
            {name: random_sequences(1, 20_000, seed)[0] for seed, name in enumerate(("1", "2", "3"))}, "g.fa"
        )

    @pytest.fixture
    def peaks(self, tmp_path):
        path = tmp_path / "p.bed"
        path.write_text(
            "".join(f"{c}\t{s}\t{s + 41}\tpeak\t{s}\n" for c in "123" for s in range(500, 19_000, 1000))
        )
        return path

    def test_genomic_negatives(self, genome, peaks, output):
        encode_peaks(output, peaks, genome, "x", options(negative_ratio=1))
        found = Encoded(output)
        bound = found.y[:, 0] == 1
        assert bound.sum() == (~bound).sum() == 57
        places = [parse_coordinates(name) for name in found.id]
        for contig, start, end in np.array(places, dtype=object)[~bound]:
            assert not any(
                contig == c and start < s + 41 and s < end for c in "123" for s in range(500, 19_000, 1000)
            )
        gc = np.isin(found.codes, (1, 2)).sum(axis=1)
        assert sorted(gc[bound]) == pytest.approx(sorted(gc[~bound]), abs=1)
        assert found.summary["negative_method"] == "genome"
        assert (found.group == [place[0] for place in places]).all()

    def test_a_name_with_a_space_or_a_place_in_it_changes_nothing(self, genome, peaks, tmp_path, output):
        encode_peaks(output, peaks, genome, "x", options(test_contigs=("2",)))
        odd = tmp_path / "odd.bed"
        odd.write_text(peaks.read_text().replace("peak", "my range=chr9:5-70 peak"))
        encode_peaks(tmp_path / "odd.h5", odd, genome, "x", options(test_contigs=("2",)))
        with open_tensors(output) as plain, open_tensors(tmp_path / "odd.h5") as tensors:
            assert tensors.intervals() == plain.intervals()
            assert (tensors.split == plain.split).all()
            assert tensors.text("group").tolist() == plain.text("group").tolist()

    def test_sequences_are_the_genomes(self, genome, peaks, output):
        encode_peaks(output, peaks, genome, "x", options())
        found = Encoded(output)
        contigs = dict(zip("123", (random_sequences(1, 20_000, seed)[0] for seed in range(3)), strict=True))
        for row, name in enumerate(found.id):
            contig, start, end = parse_coordinates(name)
            assert found.sequence(row) == contigs[contig][start:end]

    def test_exclude(self, genome, peaks, tmp_path, output):
        exclude = tmp_path / "exclude.bed"
        exclude.write_text("1\t0\t20000\n2\t0\t10000\n3\t0\t19000\nelsewhere\t1\t2\n")
        encode_peaks(output, peaks, genome, "x", options(exclude=exclude))
        found = Encoded(output)
        for contig, start, _ in map(parse_coordinates, found.id[found.y[:, 0] == 0]):
            assert start >= {"1": 20_000, "2": 10_000, "3": 19_000}[contig]
        assert [entry["name"] for entry in json.loads(found.attributes["source"])] == [
            "p.bed",
            "g.fa",
            "exclude.bed",
        ]

    @pytest.mark.parametrize("method", ["genome", "dinucleotide"])
    def test_exclude_takes_positives_whatever_the_negatives(self, genome, peaks, tmp_path, output, method):
        exclude = tmp_path / "exclude.bed"
        # the window around chr1:3520 is 3505-3535
        exclude.write_text("chr1\t0\t3505\nchr1\t4500\t4506\nchr1\t5535\t5600\nchr3\t0\t20000\n")
        options_ = options(exclude=exclude, negative_method=method)
        encode_peaks(output, peaks, genome, "x", options_)
        found = Encoded(output)
        bound = [parse_coordinates(name) for name in found.id[found.y[:, 0] == 1]]
        assert [start for contig, start, _ in bound if contig == "1"] == list(range(3505, 19_000, 1000))[
            :1
        ] + list(range(5505, 19_000, 1000))
        assert sum(contig == "2" for contig, *_ in bound) == 19
        assert not any(contig == "3" for contig, *_ in bound)
        count = found.summary["counts"]["peaks whose windows touch excluded regions, left out"]
        assert count == 57 - len(bound) == 19 + 4
        assert "exclude.bed" in found.attributes["source"]
        encode_peaks(output, peaks, genome, "x", replace(options_, keep_excluded_positives=True))
        assert (Encoded(output).y == 1).sum() == 57

    def test_too_few_negatives_are_counted(self, genome, peaks, tmp_path, output):
        exclude = tmp_path / "exclude.bed"
        exclude.write_text("1\t0\t20000\n2\t0\t20000\n3\t0\t19600\n")
        few = options(exclude=exclude, keep_excluded_positives=True, negative_ratio=1)
        encode_peaks(output, peaks, genome, "x", few)
        found = Encoded(output)
        n = int((found.y[:, 0] == 0).sum())
        assert 0 < n < 57
        assert found.summary["counts"]["negatives that the genome was short of"] == 57 - n

    def test_no_negatives_at_all(self, genome, peaks, tmp_path, output):
        exclude = tmp_path / "exclude.bed"
        exclude.write_text("1\t0\t20000\n2\t0\t20000\n3\t0\t20000\n")
        with pytest.raises(
            TfbindError, match=r"g\.fa: no stretch of 30 bases touches no peak .* dinucleotide"
        ):
            encode_peaks(output, peaks, genome, "x", options(exclude=exclude, keep_excluded_positives=True))
        assert not output.exists()

    def test_held_out_contig(self, genome, peaks, output):
        encode_peaks(output, peaks, genome, "x", options(test_contigs=("2",), validation_contigs=("3",)))
        found = Encoded(output)
        assert set(zip(found.group, found.split.tolist(), strict=True)) == {("1", 0), ("2", 2), ("3", 1)}
        assert found.summary["parts"]["x"]["test"] == {"unbound": 266, "bound": 19}
        n_short = found.summary["counts"]["negatives that the genome was short of"]
        assert (found.y == 0).sum() == 20 * 57 - n_short

    def test_contigs_are_held_out_by_themselves(self, tmp_path, output):
        genome, peaks = tmp_path / "many.fa", tmp_path / "many.bed"
        names = [f"c{number}" for number in range(12)]
        genome.write_text(
            "".join(f">{name}\n{random_sequences(1, 8_000, seed)[0]}\n" for seed, name in enumerate(names))
        )
        peaks.write_text("".join(f"{c}\t{s}\t{s + 1}\n" for c in names for s in range(500, 7_500, 700)))
        encode_peaks(output, peaks, genome, "x", options())
        found = Encoded(output)
        parts = {(contig, part) for contig, part in zip(found.group, found.split.tolist(), strict=True)}
        assert len(parts) == len(names)
        assert [sum(part == number for _, part in parts) for number in range(3)] == [8, 2, 2]
        encode_peaks(output, peaks, genome, "x", options(split_by="records"))
        found = Encoded(output)
        assert len(set(zip(found.group, found.split.tolist(), strict=True))) > len(names)
        encode_peaks(output, peaks, genome, "x", options(test_contigs=("c3",)))
        found = Encoded(output)
        parts = set(zip(found.group, found.split.tolist(), strict=True))
        assert {contig for contig, part in parts if part == 2} == {"c3"}
        assert len(parts) == len(names)
        assert sum(part == 1 for _, part in parts) == 3

    def test_negatives_are_shifted_into_no_peak(self, genome, peaks, output):
        encode_peaks(output, peaks, genome, "x", options(test_contigs=("2",), validation_contigs=("3",)))
        found = Encoded(output)
        for contig, start, end in map(parse_coordinates, found.id[found.y[:, 0] == 0]):
            assert not any(
                contig == c and start - 6 < s + 41 and s < end + 6
                for c in "123"
                for s in range(500, 19_000, 1000)
            )

    def test_a_genome_may_have_an_i_and_a_1(self, tmp_path, output):
        names = ["1", "I", "2", "II", "M", "MT"]
        (tmp_path / "g.fa").write_text(
            "".join(f">{name}\n{random_sequences(1, 6_000, seed)[0]}\n" for seed, name in enumerate(names))
        )
        (tmp_path / "p.bed").write_text(
            "".join(f"{c}\t{s}\t{s + 1}\n" for c in names for s in range(500, 5_500, 700))
        )
        encode_peaks(output, tmp_path / "p.bed", tmp_path / "g.fa", "x", options(negative_ratio=1))
        assert set(Encoded(output).group) == set(names)

    def test_surroundings(self, genome, peaks, output):
        encode_peaks(output, peaks, genome, "x", options(test_contigs=("2",), validation_contigs=("3",)))
        contigs = dict(zip("123", (random_sequences(1, 20_000, seed)[0] for seed in range(3)), strict=True))
        with open_tensors(output) as tensors:
            flanks = tensors.flanks(np.arange(len(tensors)))
            assert flanks.shape[1:] == (2, LENGTH // 5)
            for (contig, start, end), (before, after) in zip(tensors.intervals(), flanks, strict=True):
                letters = contigs[contig]
                expected = (
                    letters[max(start - 6, 0) : start].rjust(6, "N"),
                    letters[end : end + 6].ljust(6, "N"),
                )
                assert (
                    "".join("ACGTN"[code] for code in before),
                    "".join("ACGTN"[c] for c in after),
                ) == expected
            stretches = tensors.stretches()
            assert list(stretches()) == [("3:0-20000", contigs["3"])]
            assert stretches.peaks.tolist() == [s + 20 for s in range(500, 19_000, 1000)]
            assert stretches.peaks_per_mb == pytest.approx(2 * 19 / 0.04)

    def test_shuffles_instead(self, genome, peaks, output):
        encode_peaks(output, peaks, genome, "x", options(negative_method="dinucleotide"))
        found = Encoded(output)
        assert (found.parent != "").sum() == 57
        assert (found.group != "").all()

    def test_max_peaks_keeps_the_strongest(self, genome, peaks, output, tmp_path):
        narrow = tmp_path / "p.narrowPeak"
        narrow.write_text(
            "".join(f"1\t{s}\t{s + 41}\tp\t0\t.\t{s}\t-1\t-1\t20\n" for s in range(500, 19_000, 1000))
        )
        encode_peaks(output, narrow, genome, "x", options(max_peaks=5))
        found = Encoded(output)
        bound = found.id[found.y[:, 0] == 1]
        assert sorted(parse_coordinates(name)[1] for name in bound) == [
            s + 5 for s in range(14_500, 19_000, 1000)
        ]
        # no negative touches a peak that was left out
        for _, start, end in map(parse_coordinates, found.id[found.y[:, 0] == 0]):
            assert not any(start < s + 41 and s < end for s in range(500, 19_000, 1000))
        assert found.summary["counts"]["weaker peaks left out by --max-peaks"] == 14

    def test_contig_naming(self, genome, tmp_path, output):
        # peaks and held-out contigs may be spelled with chr, the genome without: the file has the genome's names
        path = tmp_path / "chr.bed"
        path.write_text("".join(f"chr{contig}\t{at}\t{at + 41}\n" for contig in "123" for at in (500, 3_000)))
        encode_peaks(output, path, genome, "x", options(test_contigs=("chr2",), validation_contigs=("3",)))
        with open_tensors(output) as tensors:
            contig = [name.rpartition("::")[2].partition(":")[0] for name in tensors.text("id")]
            assert set(zip(contig, tensors.split.tolist(), strict=True)) == {("1", 0), ("2", 2), ("3", 1)}
        path.write_text("chr8\t500\t541\nchr9\t500\t541\n")
        message = (
            r"chr\.bed: 2 of 2 contigs \('chr8', 'chr9'\) are not in .*g\.fa \(its contigs: '1', '2', '3'"
        )
        with pytest.raises(TfbindError, match=message):
            encode_peaks(output, path, genome, "x", options())

    def test_same_seed_same_file(self, genome, peaks, tmp_path):
        for name, seed in (("a", 0), ("b", 0), ("c", 1)):
            encode_peaks(tmp_path / f"{name}.h5", peaks, genome, "x", options(seed=seed))
        a, b, c = ((tmp_path / f"{name}.h5").read_bytes() for name in "abc")
        assert a == b != c
