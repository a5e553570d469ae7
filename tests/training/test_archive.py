"""The zip of a model file from a stranger: only what is needed is read, and nothing beyond its size."""

import stat
import struct
import tracemalloc
import warnings
import zipfile

import pytest

from tfbind.errors import TfbindError
from tfbind.training.archive import CARD, MOST_BYTES, ModelArchive


@pytest.fixture
def path(tmp_path):
    return tmp_path / "m.keras"


def write(path, *members, compress=zipfile.ZIP_DEFLATED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w") as archive:
        warnings.simplefilter("ignore")
        for info, data in members:
            archive.writestr(info, data, compress_type=compress)


def test_members_are_read_by_name(path):
    write(path, (CARD, b"{}"), ("config.json", b"[1]"))
    with ModelArchive(path) as archive:
        assert CARD in archive
        assert "other" not in archive
        assert archive.read("config.json") == b"[1]"


def test_a_bomb_is_refused_before_it_is_inflated(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(CARD, "w") as file:
        for _ in range(MOST_BYTES // 2**20 + 1):
            file.write(bytes(2**20))
    tracemalloc.start()
    with (
        ModelArchive(path) as archive,
        pytest.raises(TfbindError, match=r"m\.keras: found a member tfbind\.json of "),
    ):
        archive.read(CARD)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_bomb_that_nothing_asks_for_is_not_read(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CARD, b"{}")
        with archive.open("notes.txt", "w") as file:
            for _ in range(100):
                file.write(bytes(2**20))
    with ModelArchive(path) as archive:
        assert archive.read(CARD) == b"{}"


def test_a_member_is_not_larger_than_what_the_caller_expects(path):
    write(path, ("w", bytes(1001)))
    with ModelArchive(path) as archive:
        assert len(archive.read("w", most=1001)) == 1001
        with pytest.raises(TfbindError, match=r"a member w of 1,001 bytes, expected at most 1,000"):
            archive.read("w", most=1000)


def test_a_size_that_is_not_true_inflates_no_more_than_it_says(path):
    write(path, ("w", bytes(10**6)))
    data = bytearray(path.read_bytes())
    # the uncompressed size in the directory at the end
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 1000)
    path.write_bytes(data)
    with ModelArchive(path) as archive, pytest.raises(TfbindError, match=r"m\.keras: damaged"):
        archive.read("w")


@pytest.mark.parametrize("compress", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_that_have_no_bound_are_refused(path, compress):
    write(path, (CARD, b"{}"), compress=compress)
    with (
        ModelArchive(path) as archive,
        pytest.raises(TfbindError, match=r"is packed in way \d+, expected deflate"),
    ):
        archive.read(CARD)


def test_two_members_of_one_name(path):
    write(path, (CARD, b"{}"), (CARD, b"[]"))
    with pytest.raises(
        TfbindError, match=r"m\.keras: found two members 'tfbind\.json' in the zip, expected one"
    ):
        ModelArchive(path)


def test_too_many_members(path):
    write(path, *((str(i), b"") for i in range(1001)))
    with pytest.raises(TfbindError, match=r"m\.keras: found 1,001 members"):
        ModelArchive(path)


def test_a_link(path):
    info = zipfile.ZipInfo(CARD)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    write(path, (info, b"/etc/passwd"))
    with (
        ModelArchive(path) as archive,
        pytest.raises(TfbindError, match=r"tfbind\.json is a link, expected a file"),
    ):
        archive.read(CARD)


def test_an_encrypted_member(path):
    write(path, (CARD, b"{}"))
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(data)
    with ModelArchive(path) as archive, pytest.raises(TfbindError, match=r"tfbind\.json is encrypted"):
        archive.read(CARD)


def test_a_name_that_leads_out_of_a_folder_leads_nowhere(path, tmp_path):
    write(path, (CARD, b"{}"), ("../escaped.pkl", b"cos\nsystem\n(S'touch escaped'\ntR."))
    with ModelArchive(path) as archive:
        archive.read(CARD)
    assert not (tmp_path.parent / "escaped.pkl").exists()
    assert [each.name for each in tmp_path.iterdir()] == ["m.keras"]
