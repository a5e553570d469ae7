import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tfbind
from tfbind.dna.alphabet import decode_letters, encode_letters
from tfbind.dna.encoding import DnaEncoding
from tfbind.errors import TfbindError
from tfbind.tensors import describe_sources, open_tensors, write_tensors

DATA = Path(__file__).parent / "data"
ONE_HOT = DnaEncoding(encoding="onehot", length=6)
KMER = DnaEncoding(encoding="kmer", length=6, k=3, stride=2)
SEQUENCES = ["ACGTAC", "GGNCC", "TTTTTT"]


def records(n=3):
    padded = [sequence.ljust(6, "N") for sequence in SEQUENCES]
    return {
        "codes": np.array([encode_letters(sequence) for sequence in padded])[:n],
        "valid_length": np.array([6, 5, 6], np.int32)[:n],
        "y": np.array([[1, 0], [0, np.nan], [np.nan, 1]], np.float32)[:n],
        "split": np.array([0, 1, 2], np.uint8)[:n],
        "id": ["peak1", "péak2", "shuffle"][:n],
        "group": ["chr1", "", "chr1"][:n],
        "parent": ["", "", "peak1"][:n],
    }


def write(path, encoding=ONE_HOT, **extra):
    with write_tensors(path, encoding, tasks=["CTCF", "PRDM9"], source=[], extra=extra) as writer:
        writer.append(**records())


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "t.h5")
    return tmp_path / "t.h5"


class TestWritten:
    """What stands in the file, seen by h5py alone."""

    @pytest.mark.parametrize("encoding", [ONE_HOT, KMER], ids=["onehot", "kmer"])
    def test_attributes(self, tmp_path, encoding):
        source = tmp_path / "p.fa"
        source.write_bytes(b"abc")
        with write_tensors(
            tmp_path / "t.h5", encoding, tasks=["CTCF"], source=describe_sources([source])
        ) as writer:
            writer.append(**{**records(), "y": np.zeros((3, 1), np.float32)})
        with h5py.File(tmp_path / "t.h5") as file:
            found = dict(file.attrs)
        digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        assert json.loads(found.pop("source")) == [{"name": "p.fa", "size": 3, "sha256": digest}]
        assert found == {
            "format": "tfbind-tensors",
            "format_version": "1.0",
            "kind": "dna",
            "created_by": f"tfbind {tfbind.__version__}",
            "alphabet": "ACGT",
            "length": 6,
            "encoding": encoding.encoding,
        } | ({} if encoding is ONE_HOT else {"k": 3, "stride": 2})

    def test_one_hot_sets(self, path):
        with h5py.File(path) as file:
            assert sorted(file) == ["group", "id", "parent", "split", "tasks", "valid_length", "x", "y"]
            x = file["x"]
            assert x.dtype == np.uint8
            assert x.shape == (3, 6, 4)
            assert x[1].tolist() == [
                *([[0, 0, 1, 0]] * 2),
                [0, 0, 0, 0],
                *([[0, 1, 0, 0]] * 2),
                [0, 0, 0, 0],
            ]
            assert file["valid_length"].dtype == np.int32
            assert file["y"].dtype == np.float32
            assert file["split"].dtype == np.uint8
            np.testing.assert_array_equal(file["y"][:], records()["y"])

    def test_kmer_set(self, tmp_path):
        write(tmp_path / "t.h5", KMER)
        with h5py.File(tmp_path / "t.h5") as file:
            assert file["x"].dtype == np.uint16
            # ACG=6, GTA=44; GGN, NCC; TTT=63
            assert file["x"][:].tolist() == [[6, 44], [64, 64], [63, 63]]

    def test_text_is_utf8_of_varying_length(self, path):
        with h5py.File(path) as file:
            for name in ("id", "group", "parent", "tasks"):
                info = h5py.check_string_dtype(file[name].dtype)
                assert info.encoding == "utf-8"
                assert info.length is None
            assert file["id"][1] == "péak2".encode()

    def test_chunks_and_filter(self, path):
        with h5py.File(path) as file:
            for name in set(file) - {"tasks"}:
                assert file[name].compression == "gzip"
                assert file[name].chunks[1:] == file[name].shape[1:]
                assert file[name].maxshape[0] is None

    def test_batches_follow_one_another(self, tmp_path):
        with write_tensors(tmp_path / "t.h5", ONE_HOT, tasks=["a", "b"], source=[]) as writer:
            for n in (2, 0, 3):
                writer.append(**records(n))
        with open_tensors(tmp_path / "t.h5") as tensors:
            assert tensors.text("id").tolist() == ["peak1", "péak2", "peak1", "péak2", "shuffle"]
            assert len(tensors) == 5

    def test_columns_of_unequal_length_are_a_fault(self, tmp_path):
        def fail():
            with write_tensors(tmp_path / "t.h5", ONE_HOT, tasks=["a", "b"], source=[]) as writer:
                writer.append(**{**records(), "id": ["one"]})

        with pytest.raises(ValueError, match="id has 1 rows, codes have 3"):
            fail()
        assert list(tmp_path.iterdir()) == []

    def test_a_failure_leaves_the_old_file(self, path):
        before = path.read_bytes()

        def fail():
            with write_tensors(path, ONE_HOT, tasks=["a", "b"], source=[]) as writer:
                writer.append(**records())
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fail()
        assert path.read_bytes() == before
        assert list(path.parent.iterdir()) == [path]


class TestRead:
    @pytest.mark.parametrize("encoding", [ONE_HOT, KMER], ids=["onehot", "kmer"])
    def test_round_trip(self, tmp_path, encoding):
        write(tmp_path / "t.h5", encoding, negative_method="given")
        with open_tensors(tmp_path / "t.h5") as tensors:
            assert tensors.encoding == encoding
            assert tensors.tasks == ("CTCF", "PRDM9")
            assert tensors.attributes["negative_method"] == "given"
            np.testing.assert_array_equal(tensors.y, records()["y"])
            assert tensors.split.tolist() == [0, 1, 2]
            assert tensors.valid_length.tolist() == [6, 5, 6]
            assert tensors.text("parent").tolist() == ["", "", "peak1"]

    @given(st.sets(st.integers(0, 9999)).map(sorted), st.sampled_from([ONE_HOT, KMER]))
    def test_codes_of_chosen_rows(self, tmp_path_factory, rows, encoding):
        path = tmp_path_factory.getbasetemp() / f"{encoding.encoding}.h5"
        codes = np.random.default_rng(0).integers(0, 4, (10_000, 6)).astype(np.uint8)
        if not path.exists():
            with write_tensors(path, encoding, tasks=["a"], source=[]) as writer:
                writer.append(
                    codes=codes,
                    valid_length=np.full(10_000, 6),
                    y=np.zeros((10_000, 1)),
                    split=np.zeros(10_000),
                    **{name: [""] * 10_000 for name in ("id", "group", "parent")},
                )
        with open_tensors(path) as tensors:
            # of 6 bases the k-mers of 3 every 2 bases tell the first 5
            told = slice(None) if encoding is ONE_HOT else slice(5)
            assert (tensors.codes(np.array(rows, int))[:, told] == codes[rows][:, told]).all()

    def test_no_records(self, tmp_path):
        with write_tensors(tmp_path / "t.h5", ONE_HOT, tasks=["a"], source=[]):
            pass
        with open_tensors(tmp_path / "t.h5") as tensors:
            assert len(tensors) == 0
            assert tensors.codes(np.array([], int)).shape == (0, 6)

    def test_unknown_extra_sets_are_ignored(self, path):
        with h5py.File(path, "a") as file:
            file["weights"] = np.ones(5)
            file.attrs["colour"] = "blue"
        with open_tensors(path) as tensors:
            assert len(tensors) == 3


class TestRefused:
    def refuse(self, path, match):
        with pytest.raises(TfbindError, match=match) as caught, open_tensors(path):
            pass
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)

    def test_missing(self, tmp_path):
        self.refuse(tmp_path / "none.h5", "no such file")

    @pytest.mark.parametrize("content", [b"", b">a\nACGT\n"])
    def test_not_hdf5(self, tmp_path, content):
        (tmp_path / "t.h5").write_bytes(content)
        self.refuse(tmp_path / "t.h5", "is not a readable HDF5 file, expected a tensors file")

    def test_cut_off(self, path):
        path.write_bytes(path.read_bytes()[:-100])
        self.refuse(path, "is not a readable HDF5 file")

    def test_another_hdf5(self, tmp_path):
        h5py.File(tmp_path / "t.h5", "w").close()
        self.refuse(tmp_path / "t.h5", "found format None, expected a tensors file")

    @pytest.mark.parametrize(
        ("name", "value", "match"),
        [
            ("format", "other", "found format 'other', expected a tensors file"),
            (
                "format_version",
                "1.1",
                r"found tensors format '1\.1', made by tfbind \S+; tfbind \S+ reads 1\.0: update tfbind, or make the"
                " file again with tfbind encode$",
            ),
            ("format_version", "2.0", r"found tensors format '2\.0', .* update tfbind, or"),
            ("format_version", "0.9", r"found tensors format '0\.9', .* use the tfbind that made it, or"),
            ("format_version", None, "found tensors format None, .* use the tfbind that made it, or"),
            ("format_version", 1.0, r"found tensors format '.*1\.0.*', "),
            ("kind", "genotypes", "found kind 'genotypes', expected kind 'dna', as tfbind encode writes it"),
            ("kind", [1, 2], r"found attribute 'kind' of shape \(2,\), expected a single value"),
            ("kind", 7, "found kind '.*7.*', expected kind 'dna'"),
            ("source", "[", "found attribute source that is not JSON of finite numbers, expected JSON"),
            (
                "source",
                "[" * 100_000,
                "found attribute source that is not JSON of finite numbers, expected JSON",
            ),
            ("source", "[1]", r"found attribute source '\[1\]', expected a JSON list of objects"),
            ("source", 3, "found attribute source that is not JSON"),
            ("created_by", None, "found no attribute 'created_by'"),
            ("source", None, "found no attribute 'source'"),
            ("alphabet", None, "found no attribute 'alphabet'"),
            ("alphabet", "ACGU", "found alphabet 'ACGU', expected 'ACGT'"),
            ("encoding", "twobit", "found encoding 'twobit', expected 'onehot' or 'kmer'"),
            ("encoding", "kmer", "found k None, expected a whole number from 1 to 6"),
            ("length", None, "found no attribute 'length'"),
            ("length", "long", "found length 'long', expected a whole number"),
            ("length", -6, "found length .*-6.*, expected a whole number"),
            ("length", 7, r"found x of shape \(3, 6, 4\) and type uint8, expected \(n, 7, 4\) uint8"),
        ],
    )
    def test_attribute(self, path, name, value, match):
        with h5py.File(path, "a") as file:
            del file.attrs[name]
            if value is not None:
                file.attrs[name] = value
        self.refuse(path, match)

    @pytest.mark.parametrize(
        ("name", "value", "match"),
        [
            ("k", 8, "found k .*8.*, expected a whole number from 1 to 6"),
            ("k", 0, "found k .*0"),
            ("stride", 4, "found stride .*4.*, expected a whole number from 1 to 3"),
            ("stride", 1.5, "found stride .*1.5"),
            ("stride", 3, r"found x of shape \(3, 2\) and type uint16"),
        ],
    )
    def test_kmer_attribute(self, tmp_path, name, value, match):
        path = tmp_path / "t.h5"
        write(path, KMER)
        with h5py.File(path, "a") as file:
            file.attrs[name] = value
        if (name, value) == ("stride", 3):
            with open_tensors(path) as tensors:  # two k-mers either way: still a file of the specification
                assert tensors.encoding.stride == 3
        else:
            self.refuse(path, match)

    @pytest.mark.parametrize("name", ["x", "valid_length", "y", "split", "id", "group", "parent", "tasks"])
    def test_missing_set(self, path, name):
        with h5py.File(path, "a") as file:
            del file[name]
        self.refuse(path, f"found no data set '{name}', expected the data sets that docs/format.md lists")

    def test_folder_in_place_of_a_set(self, path):
        with h5py.File(path, "a") as file:
            del file["y"]
            file.create_group("y")
        self.refuse(path, "found no data set 'y'")

    @pytest.mark.parametrize(
        ("name", "value", "match"),
        [
            ("x", np.zeros((3, 6, 4), np.float32), "found x of shape .* and type float32"),
            ("x", np.zeros((3, 6), np.uint8), r"found x of shape \(3, 6\)"),
            ("x", np.uint8(1), r"found x of shape \(\)"),
            (
                "y",
                np.zeros((3, 1), np.float32),
                r"found y of shape \(3, 1\) and type float32, expected \(3, 2\) float32",
            ),
            ("y", np.zeros(3, np.float32), r"found y of shape \(3,\)"),
            (
                "y",
                np.zeros((3, 2), np.float64),
                r"found y of shape .* and type float64, expected \(3, 2\) float32",
            ),
            (
                "split",
                np.zeros(2, np.uint8),
                r"found split of shape \(2,\) and type uint8, expected \(3,\) uint8",
            ),
            ("split", np.zeros(3, np.int64), "found split of shape .* and type int64, expected .* uint8"),
            (
                "valid_length",
                np.zeros(3, np.uint8),
                "found valid_length of shape .* and type uint8, expected .* int32",
            ),
            ("id", np.zeros(3, np.int32), "found id of shape .* and type int32, expected .* UTF-8 text"),
            ("parent", ["a"], r"found parent of shape \(1,\) .*, expected \(3,\)"),
            ("tasks", "CTCF", r"found tasks of shape \(\)"),
            ("tasks", np.zeros(2, np.int8), "found tasks of shape .* and type int8, expected .* UTF-8 text"),
            ("tasks", ["CTCF"], r"found y of shape \(3, 2\) .*, expected \(3, 1\)"),
            ("y", np.full((3, 2), np.inf, np.float32), "found y with the value inf, expected 0, 1 or NaN"),
            ("y", np.full((3, 2), 0.5, np.float32), "found y with the value 0.5, expected 0, 1 or NaN"),
            ("split", np.full(3, 3, np.uint8), "found split with the value 3, expected 0, 1 or 2"),
            ("valid_length", np.array([6, 7, 6], np.int32), "found valid_length outside the record"),
            ("valid_length", np.array([6, -1, 6], np.int32), "found valid_length outside the record"),
        ],
    )
    def test_set(self, path, name, value, match):
        with h5py.File(path, "a") as file:
            del file[name]
            file[name] = value
        self.refuse(path, match)


def damage_x(encoding, record, place, value):
    """Write a value into ``x``, and what the message must say."""

    def damage(file):
        x = file["x"][:]
        x[(record, *place)] = value
        file["x"][...] = x

    return encoding, damage


class TestValues:
    """What compiled code takes for places in memory."""

    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (damage_x(ONE_HOT, 1, (3, 2), 7), "other values in x in record 2, expected a single 1, or none"),
            (damage_x(ONE_HOT, 2, (0, 0), 255), "other values in x in record 3"),
            (damage_x(ONE_HOT, 0, (...,), 1), "other values in x in record 1"),
            (damage_x(ONE_HOT, 0, (2, slice(0, 2)), 1), "other values in x in record 1"),
            # 1 + 255 is 0 in eight bits
            (damage_x(ONE_HOT, 0, (2,), [1, 255, 0, 0]), "other values in x in record 1"),
            (damage_x(ONE_HOT, 1, (5, 3), 1), "bases after the 5 valid ones in record 2, expected padding"),
            (
                damage_x(KMER, 0, (1,), 65),
                "other values in x in record 1, expected k-mers up to 64 that agree",
            ),
            (damage_x(KMER, 1, (0,), 65535), "other values in x in record 2"),
            # ACG and then GTA: CTA does not begin with the last base of the former
            (damage_x(KMER, 0, (1,), 28), "other values in x in record 1"),
        ],
    )
    def test_in_x_are_refused_in_the_records_that_are_read(self, tmp_path, damage, message):
        path = tmp_path / "t.h5"
        encoding, change = damage
        write(path, encoding)
        with h5py.File(path, "a") as file:
            change(file)
        with open_tensors(path) as tensors, pytest.raises(TfbindError, match=rf"t\.h5: found {message}"):
            tensors.codes(np.arange(3))

    def test_in_the_padding_of_kmers(self, tmp_path):
        path = tmp_path / "t.h5"
        write(path, KMER)
        with h5py.File(path, "a") as file:
            file["valid_length"][2] = 3
        with open_tensors(path) as tensors, pytest.raises(TfbindError, match="bases after the 3 valid ones"):
            tensors.codes(np.array([2]))

    def test_random_ones_are_refused(self, tmp_path):
        for seed in range(20):
            write(tmp_path / "t.h5")
            with h5py.File(tmp_path / "t.h5", "a") as file:
                file["x"][...] = np.random.default_rng(seed).integers(0, 256, (3, 6, 4))
            with open_tensors(tmp_path / "t.h5") as tensors, pytest.raises(TfbindError, match="in record 1"):
                tensors.codes(np.arange(3))

    @pytest.mark.parametrize(
        "tasks",
        [[], ["A", "A"], ["", "B"], ["A\tB", "C"], ["A\n", "B"]],
        ids=["none", "twice", "empty", "tab", "line"],
    )
    def test_names_of_factors(self, path, tasks):
        with h5py.File(path, "a") as file:
            del file["tasks"], file["y"]
            file["tasks"] = np.array(tasks, dtype=object if tasks else h5py.string_dtype())
            file["y"] = np.zeros((3, len(tasks)), np.float32)
        with pytest.raises(TfbindError, match=r"t\.h5: found tasks .*, expected printable names, each once"):
            open_tensors(path).__enter__()


class TestIntervals:
    INTERVALS = (("chr1", 5, 11), None, ("chr1", 5, 11))

    @pytest.fixture
    def path(self, tmp_path):
        with write_tensors(tmp_path / "i.h5", ONE_HOT, tasks=["A", "B"], source=[]) as writer:
            writer.append(**records(2), intervals=self.INTERVALS[:2])
            writer.append(**records(0), intervals=[])
            writer.append(**records(3), intervals=self.INTERVALS)
        return tmp_path / "i.h5"

    def test_come_back(self, path):
        with open_tensors(path) as tensors:
            assert tensors.intervals() == [*self.INTERVALS[:2], *self.INTERVALS]

    def test_are_extra_sets_of_specification_1(self, path):
        with h5py.File(path) as file:
            assert file.attrs["format_version"] == "1.0"
            assert file["contig"].asstr()[:].tolist() == ["chr1", "", "chr1", "", "chr1"]
            assert file["start"][:].tolist() == [5, -1, 5, -1, 5]
            assert file["end"][:].tolist() == [11, -1, 11, -1, 11]
            assert file["start"].dtype == file["end"].dtype == np.int64

    def test_a_file_without_them_falls_back_on_its_ids(self, tmp_path):
        ids = ["my::chr1:5-11", "peak2", "chr2_100_200_shuffle_1"]
        with write_tensors(tmp_path / "t.h5", ONE_HOT, tasks=["A", "B"], source=[]) as writer:
            writer.append(**records() | {"id": ids})
        with open_tensors(tmp_path / "t.h5") as tensors:
            assert tensors.intervals() == [("chr1", 5, 11), None, ("chr2", 100, 200)]

    @pytest.mark.parametrize("order", [(None, INTERVALS), (INTERVALS, None)])
    def test_of_some_batches_only_are_a_fault(self, tmp_path, order):
        def fail():
            with write_tensors(tmp_path / "t.h5", ONE_HOT, tasks=["A", "B"], source=[]) as writer:
                for intervals in order:
                    writer.append(**records(), intervals=intervals)

        with pytest.raises(ValueError, match="intervals belong to every record of a file or to none"):
            fail()

    @pytest.mark.parametrize(("start", "end"), [(-1, 11), (11, 11), (12, 11), (-1, -1)])
    def test_that_are_none_are_refused(self, path, start, end):
        with h5py.File(path, "a") as file:
            file["start"][2], file["end"][2] = start, end
        with (
            open_tensors(path) as tensors,
            pytest.raises(TfbindError, match=f"found start {start} and end {end} in record 3"),
        ):
            tensors.intervals()

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("start", np.zeros(4, np.int64)),
            ("end", np.zeros(5, np.float32)),
            ("contig", np.zeros(5, np.int64)),
        ],
    )
    def test_of_another_shape_or_type_are_refused(self, path, name, value):
        with h5py.File(path, "a") as file:
            del file[name]
            file[name] = value
        with (
            open_tensors(path) as tensors,
            pytest.raises(TfbindError, match=rf"i\.h5: found {name} of shape"),
        ):
            tensors.intervals()


class TestFolds:
    @pytest.fixture
    def path(self, tmp_path):
        """Records of the training, the validation and the test part in folds 2, 1 and none."""
        with write_tensors(tmp_path / "f.h5", ONE_HOT, tasks=["A", "B"], source=[], folds=2) as writer:
            writer.append(**records(), fold=np.array([2, 1, 0], np.uint8))
        return tmp_path / "f.h5"

    def test_the_fold_is_the_test_part_and_the_test_part_is_left_out(self, path):
        for fold, expected in ((None, [0, 1, 2]), (1, [0, 2, 255]), (2, [2, 1, 255])):
            with open_tensors(path, fold) as tensors:
                assert tensors.split.tolist() == expected
                assert (tensors.fold, tensors.folds) == (fold, fold and 2)

    def test_is_an_extra_set_of_version_1_0(self, path):
        with h5py.File(path) as file:
            assert file["fold"][:].tolist() == [2, 1, 0]
            assert file["fold"].dtype == np.uint8
            assert (file.attrs["folds"], file.attrs["format_version"]) == (2, "1.0")
            assert file["split"][:].tolist() == [0, 1, 2]

    @pytest.mark.parametrize(("folds", "fold"), [(2, None), (None, np.ones(3, np.uint8))])
    def test_records_without_what_the_file_has_are_a_fault(self, tmp_path, folds, fold):
        def fail():
            with write_tensors(
                tmp_path / "t.h5", ONE_HOT, tasks=["A", "B"], source=[], folds=folds
            ) as writer:
                writer.append(**records(), fold=fold)

        with pytest.raises(ValueError, match="a fold belongs to every record of a file with folds"):
            fail()
        assert not (tmp_path / "t.h5").exists()

    @pytest.mark.parametrize("fold", [0, 3])
    def test_one_that_is_not_there(self, path, fold):
        with pytest.raises(TfbindError, match=rf"f\.h5: asked for fold {fold}, expected one from 1 to 2"):
            open_tensors(path, fold).__enter__()

    def test_a_file_without(self, tmp_path):
        write(tmp_path / "t.h5")
        with pytest.raises(
            TfbindError, match=r"t\.h5: found no folds, expected a file of tfbind encode --folds"
        ):
            open_tensors(tmp_path / "t.h5", 1).__enter__()

    def test_beyond_the_number_of_folds(self, path):
        with h5py.File(path, "a") as file:
            file["fold"][0] = 3
        with pytest.raises(TfbindError, match="found fold with the value 3, expected 0 to 2"):
            open_tensors(path, 1).__enter__()

    def test_of_another_shape(self, path):
        with h5py.File(path, "a") as file:
            del file["fold"]
            file["fold"] = np.ones(2, np.uint8)
        with pytest.raises(
            TfbindError, match=r"found fold of shape \(2,\) and type uint8, expected \(3,\) uint8"
        ):
            open_tensors(path, 1).__enter__()


class TestKeptSample:
    """A file of version 1.0 that every later version must read alike."""

    @pytest.mark.parametrize(
        ("name", "encoding"),
        [
            ("tensors-1.0-onehot.h5", DnaEncoding(encoding="onehot", length=12)),
            ("tensors-1.0-kmer.h5", DnaEncoding(encoding="kmer", length=12, k=3, stride=1)),
        ],
    )
    def test_reads_as_ever(self, name, encoding):
        with open_tensors(DATA / name) as tensors:
            assert tensors.encoding == encoding
            assert tensors.tasks == ("CTCF", "PRDM9")
            assert [decode_letters(row) for row in tensors.codes(np.arange(4))] == [
                "CCACCAGGGGGC",
                "GATTACANNNNN",
                "ACGTNNACGTAC",
                "CCAGGGGCACGC",
            ]
            assert tensors.valid_length.tolist() == [12, 7, 12, 12]
            np.testing.assert_array_equal(tensors.y, [[1, 0], [0, np.nan], [np.nan, 1], [0, 0]])
            assert tensors.split.tolist() == [0, 1, 2, 0]
            assert tensors.text("id").tolist() == ["chr1:100-112", "péak", "chr2:5-17", "made"]
            assert tensors.text("group").tolist() == ["chr1", "", "chr2", "chr1"]
            assert tensors.text("parent").tolist() == ["", "", "", "chr1:100-112"]
            (source,) = json.loads(tensors.attributes["source"])
            assert source["name"] == "sample.fa"
