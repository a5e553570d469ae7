"""Parts and groups that the user states, from the table to the tensors."""

import csv
import json

import numpy as np
import pytest

from tfbind.binding.encoding.from_fasta import HeldOutFiles, encode_fasta
from tfbind.binding.encoding.from_labels import encode_labelled
from tfbind.binding.encoding.from_table import encode_table
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import decode_letters, encode_letters, reverse_complement
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.dna.splits import TEST, TRAIN, VALIDATION
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors

LENGTH = 60


def options(**changed):
    return EncodeOptions(**{"length": LENGTH, **changed})


def sequences(n, length=LENGTH, seed=0):
    return [decode_letters(row) for row in np.random.default_rng(seed).integers(0, 4, (n, length), np.uint8)]


def turned(sequence):
    codes = encode_letters(sequence)[None]
    return decode_letters(reverse_complement(codes, np.array([len(sequence)]))[0])


@pytest.fixture
def table(tmp_path):
    def write(rows, name="data.csv"):
        path = tmp_path / name
        with path.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        return path

    return write


@pytest.fixture
def fasta(tmp_path):
    def write(records, name):
        path = tmp_path / name
        path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
        return path

    return write


@pytest.fixture
def output(tmp_path):
    return tmp_path / "t.h5"


def rows(n, **columns):
    """Rows of random sequences, bound and unbound in turn."""
    return [
        {"id": f"r{i}", "sequence": letters, "label": i % 2, **columns}
        for i, letters in enumerate(sequences(n))
    ]


def parts(path):
    """The part of each record, by name."""
    with open_tensors(path) as tensors:
        return dict(zip(tensors.text("id"), tensors.split.tolist(), strict=True))


def counts(path):
    return json.loads(path.with_suffix(".summary.json").read_text())["counts"]


def left_out(path):
    """What was left out, from the summary."""
    return {name: n for name, n in counts(path).items() if "left out" in name}


def test_records_go_where_the_table_says(table, output):
    some = rows(30)
    for row, word in zip(some, ["train", "dev", "test"] * 10, strict=True):
        row["split"] = word
    encode_table(output, table(some), "CTCF", options())
    assert parts(output) == {f"r{i}": i % 3 for i in range(30)}
    assert counts(output) == {"records": 30}


class TestLeaks:
    @pytest.fixture
    def some(self):
        some = rows(40, split="train")
        for row in some[20:30]:
            row["split"] = "validation"
        for row in some[30:]:
            row["split"] = "test"
        return some

    @pytest.mark.parametrize("change", [str, turned, str.lower])
    def test_training_gives_way_to_test(self, table, output, some, caplog, change):
        some[3]["sequence"] = change(some[35]["sequence"])
        path = table(some)
        encode_table(output, path, "CTCF", options())
        found = parts(output)
        assert "r3" not in found
        assert {found[f"r{i}"] for i in range(30, 40)} == {TEST}
        assert len(found) == 39
        assert counts(output)["records"] == 39
        assert left_out(output) == {
            "train records left out because they equal one of validation or test": 1,
        }
        assert (
            f"{path}: left out 1 of 20 train records, which would leak: 1 equal a record of validation or test on"
            " either strand, 0 overlap one or share its group" in caplog.messages
        )

    def test_validation_gives_way_to_test_and_training_to_what_is_left(self, table, output, some):
        # of three equal ones the test record stays
        some[0]["sequence"] = some[20]["sequence"] = some[30]["sequence"]
        some[1]["sequence"] = some[21]["sequence"]
        encode_table(output, table(some), "CTCF", options())
        assert not {"r0", "r1", "r20"} & set(parts(output))
        assert parts(output)["r21"] == VALIDATION
        assert left_out(output) == {
            "validation records left out because they equal one of test": 1,
            "train records left out because they equal one of validation or test": 2,
        }

    @pytest.mark.parametrize("strand", [str, turned])
    def test_overlaps_by_bases(self, table, output, some, strand):
        locus = sequences(1, 100, seed=9)[0]
        some[0]["sequence"], some[35]["sequence"] = strand(locus[:LENGTH]), locus[15 : 15 + LENGTH]
        encode_table(output, table(some), "CTCF", options())
        assert "r0" not in parts(output)
        name = "train records left out because they overlap one of validation or test, or share its group"
        assert counts(output)[name] == 1

    def test_overlaps_by_coordinates(self, table, output, some):
        some[0]["id"], some[35]["id"], some[36]["id"] = "chr4:100-160", "IV:159-219", "chr5:100-160"
        encode_table(output, table(some), "CTCF", options())
        assert "chr4:100-160" not in parts(output)
        assert len(parts(output)) == 39

    def test_groups(self, table, output, some):
        for row in some:
            row["group"] = ""
        some[2]["group"] = some[3]["group"] = some[39]["group"] = "family"
        some[4]["group"] = some[5]["group"] = "other"
        encode_table(output, table(some), "CTCF", options())
        assert set(parts(output)) == {f"r{i}" for i in range(40)} - {"r2", "r3"}
        with open_tensors(output) as tensors:
            group = dict(zip(tensors.text("id"), tensors.text("group"), strict=True))
        assert (group["r39"], group["r4"], group["r6"]) == ("family", "other", "")

    def test_a_relative_of_a_relative_stays(self, table, output, some):
        locus = sequences(1, 200, seed=9)[0]
        for row, start in ((35, 0), (0, 20), (1, 45)):
            some[row]["sequence"] = locus[start : start + LENGTH]
        encode_table(output, table(some), "CTCF", options())
        assert "r0" not in parts(output)
        assert parts(output)["r1"] == TRAIN

    def test_equal_records_of_one_part_stay(self, table, output, some):
        some[0]["sequence"] = some[1]["sequence"]
        encode_table(output, table(some), "CTCF", options())
        assert len(parts(output)) == 40

    def test_no_training_record_is_left(self, table, output, some):
        for row in some[:20]:
            row["sequence"] = some[30]["sequence"]
        with pytest.raises(TfbindError, match="every train record is in validation or test, too"):
            encode_table(output, table(some), "CTCF", options())
        assert not output.exists()

    def test_shuffles_stay_and_are_counted(self, table, output, some):
        codes = encode_letters(some[35]["sequence"])[None]
        some[0]["sequence"] = decode_letters(
            dinucleotide_shuffle(codes, np.array([LENGTH]), np.array([1], np.uint64))[0]
        )
        encode_table(output, table(some), "CTCF", options())
        assert parts(output)["r0"] == TRAIN
        assert counts(output)["records whose dinucleotide shuffle is in another part, kept"] == 2


class TestPartsThatAreNotStated:
    def test_validation_is_taken_from_training(self, table, output, caplog):
        caplog.set_level("INFO")
        some = rows(200, split="train")
        for row in some[160:]:
            row["split"] = "test"
        # relatives stay together
        for row in some[:10]:
            row["sequence"] = some[0]["sequence"]
        encode_table(output, table(some), "CTCF", options(split=(0.6, 0.2, 0.2)))
        found = parts(output)
        assert [name for name, part in found.items() if part == TEST] == [f"r{i}" for i in range(160, 200)]
        assert 30 <= sum(part == VALIDATION for part in found.values()) <= 50
        assert len({found[f"r{i}"] for i in range(10)}) == 1
        assert any("no record is stated as validation: took" in message for message in caplog.messages)

    def test_no_test_part(self, table, output, caplog):
        caplog.set_level("INFO")
        some = rows(20, split="train")
        for row in some[15:]:
            row["split"] = "dev"
        encode_table(output, table(some), "CTCF", options())
        assert set(parts(output).values()) == {TRAIN, VALIDATION}
        assert any("no record is stated as test, so the test part is empty" in m for m in caplog.messages)

    def test_no_training_part(self, table, output):
        with pytest.raises(TfbindError, match=r"data\.csv: states no record as train"):
            encode_table(output, table(rows(4, split="test")), "CTCF", options())

    def test_groups_without_a_split_are_dealt_whole(self, table, output):
        some = rows(200)
        for i, row in enumerate(some):
            row["group"] = f"g{i // 10}" if i < 150 else ""
        # two groups that share a sequence are one
        some[0]["sequence"] = some[15]["sequence"]
        encode_table(output, table(some), "CTCF", options(split=(0.5, 0.25, 0.25)))
        found = parts(output)
        assert all(len({found[f"r{i}"] for i in range(10 * g, 10 * g + 10)}) == 1 for g in range(15))
        assert found["r0"] == found["r19"]
        assert set(found.values()) == {TRAIN, VALIDATION, TEST}

    def test_contigs_cannot_be_held_out_as_well(self, table, output):
        with pytest.raises(
            TfbindError, match=r"data\.csv: states the part of each record, so --test-contigs"
        ):
            encode_table(output, table(rows(4, split="train")), "CTCF", options(test_contigs=("chr1",)))


def test_folds_leave_test_and_what_leaks_out(table, output):
    some = rows(40, split="train")
    for row in some[30:]:
        row["split"] = "test"
    some[0]["sequence"] = some[30]["sequence"]
    encode_table(output, table(some), "CTCF", options(folds=3))
    with open_tensors(output, fold=2) as tensors:
        assert len(tensors) == 39
        assert 8 <= (tensors.split == TEST).sum() <= 12


def test_tables_by_part(table, output):
    train, dev, test = rows(20), rows(26)[20:], rows(30)[26:]
    for row in dev:
        del row["id"]
    dev[0]["sequence"] = train[3]["sequence"]
    held_out = {VALIDATION: table(dev, "dev.csv"), TEST: table(test, "test.csv")}
    encode_table(output, table(train), "CTCF", options(), held_out=held_out)
    found = parts(output)
    assert "r3" not in found
    assert [name for name, part in found.items() if part == VALIDATION] == [
        f"validation_row{i}" for i in range(1, 7)
    ]
    assert [name for name, part in found.items() if part == TEST] == ["r26", "r27", "r28", "r29"]


def test_labels_beside_fasta(fasta, output, tmp_path):
    records = {f"r{i}": letters for i, letters in enumerate(sequences(12))}
    records["r0"] = records["r11"]
    labels = tmp_path / "labels.tsv"
    words = ["train"] * 6 + ["val"] * 3 + ["test"] * 3
    lines = [f"r{i}\t{word}\t{i % 2}\t\t{'g' if i in (1, 7) else ''}" for i, word in enumerate(words)]
    labels.write_text("id\tsplit\tA\tB\tgroup\n" + "\n".join(reversed(lines)) + "\n")
    encode_labelled(output, fasta(records, "x.fa"), labels, options())
    found = parts(output)
    assert set(found) == set(records) - {"r0", "r1"}
    assert [found[f"r{i}"] for i in range(2, 12)] == [TRAIN] * 4 + [VALIDATION] * 3 + [TEST] * 3
    with open_tensors(output) as tensors:
        assert tensors.tasks == ("A", "B")


class TestFastaByPart:
    def test_negatives_are_made_for_each_part(self, fasta, output):
        letters = sequences(30)
        train = {f"s{i}": letters[i] for i in range(20)}
        test = {f"s{i}": letters[20 + i] for i in range(10)}
        train["s5"] = test["s2"]
        held_out = {TEST: HeldOutFiles(fasta(test, "test.fa"))}
        encode_fasta(
            output, fasta(train, "train.fa"), None, "CTCF", options(negative_ratio=2), held_out=held_out
        )
        with open_tensors(output) as tensors:
            split, parent = tensors.split, tensors.text("parent")
            name, y = tensors.text("id"), tensors.y[:, 0]
        assert (split == TEST).sum() == 30
        assert ((split == TEST) & (y == 1)).sum() == 10
        assert (y == 1).sum() == 29
        # names of both files: those of the later one change, and with them the names of the shuffles' parents
        row = {each: number for number, each in enumerate(name)}
        assert "s5" not in row
        assert split[row["s5_test"]] == TEST
        assert "s5" not in parent
        assert all(split[row[mother]] == split[number] for number, mother in enumerate(parent) if mother)
        assert counts(output)["shuffles made"] == 58

    def test_given_negatives(self, fasta, output):
        letters = sequences(40)
        files = [fasta({f"s{i}": letters[10 * k + i] for i in range(10)}, f"{k}.fa") for k in range(4)]
        encode_fasta(
            output, files[0], files[1], "CTCF", options(), held_out={VALIDATION: HeldOutFiles(*files[2:])}
        )
        with open_tensors(output) as tensors:
            assert tensors.split.tolist() == [TRAIN] * 20 + [VALIDATION] * 20
            assert tensors.y[:, 0].tolist() == [1] * 10 + [0] * 10 + [1] * 10 + [0] * 10
            assert tensors.text("id")[[0, 10, 20, 30]].tolist() == [
                "s0",
                "s0_negative",
                "s0_validation",
                "s0_validation_negative",
            ]

    def test_negatives_of_the_test_part_alone(self, fasta, output):
        letters = sequences(30)
        files = [fasta({f"{k}{i}": letters[10 * k + i] for i in range(10)}, f"{k}.fa") for k in range(3)]
        held_out = {TEST: HeldOutFiles(*files[1:])}
        encode_fasta(output, files[0], None, "CTCF", options(split=(1, 0, 0)), held_out=held_out)
        with open_tensors(output) as tensors:
            assert tensors.split.tolist() == [TRAIN] * 20 + [TEST] * 20
            assert (tensors.text("parent") != "").sum() == 10
            assert tensors.attributes["negative_method"] == "dinucleotide"
