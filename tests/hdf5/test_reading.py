import io
import zlib

import h5py
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.hdf5.reading import open_hdf5

VALUES = np.arange(60, dtype=np.int32).reshape(20, 3)


@pytest.fixture
def path(tmp_path):
    """A file with numbers and texts, in chunks and in one piece."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs.update(name="péak", number=3, many=[1, 2])
        file.create_dataset("plain", data=VALUES)
        file.create_dataset("gzip", data=VALUES, chunks=(7, 2), compression="gzip")
        file.create_dataset("shuffled", data=VALUES, chunks=(7, 3), compression="gzip", shuffle=True)
        file.create_dataset("loose", data=VALUES, chunks=(7, 3))
        file.create_dataset("text", data=["a", "", "péak"], chunks=(2,), compression="gzip")
        file.create_dataset("folder/inner", data=1.5)
    return tmp_path / "a.h5"


def opened(path, **options):
    return open_hdf5(path, path, "something else", **options)


def found(path, name, **options):
    with opened(path, **options) as stored:
        return stored.find(name).read()


def changed(path, change):
    with h5py.File(path, "a") as file:
        change(file)
    return path


class TestRead:
    @pytest.mark.parametrize("name", ["plain", "gzip", "shuffled", "loose"])
    def test_numbers(self, path, name):
        with opened(path) as stored:
            one = stored.find(name)
            assert (one.shape, one.dtype, one.is_text) == ((20, 3), np.int32, False)
            np.testing.assert_array_equal(one.read(), VALUES, strict=True)
            for start, stop in ((0, 7), (3, 5), (6, 15), (14, 20), (19, 99), (5, 5)):
                np.testing.assert_array_equal(one.read(start, stop), VALUES[start:stop], strict=True)

    def test_a_chunk_without_the_filter(self, path):
        def change(file):
            file.create_dataset("raw", (4,), "u1", chunks=(4,), compression="gzip")
            file["raw"].id.write_direct_chunk((0,), b"\1\2\3\4", filter_mask=1)

        assert found(changed(path, change), "raw").tolist() == [1, 2, 3, 4]

    def test_texts(self, path):
        with opened(path) as stored:
            text = stored.find("text")
            assert text.is_text
            assert text.text().tolist() == ["a", "", "péak"]

    def test_places(self, path):
        with opened(path) as stored:
            assert set(stored.places) == {"plain", "gzip", "shuffled", "loose", "text", "folder/inner"}
            assert stored.find("folder/inner").read() == 1.5
            assert stored.find("folder") is None

    def test_from_memory(self, path):
        with open_hdf5(io.BytesIO(path.read_bytes()), "m.keras", "weights") as stored:
            np.testing.assert_array_equal(stored.find("plain").read(), VALUES)

    def test_a_folder_in_itself(self, path):
        changed(path, lambda f: f["folder"].__setitem__("again", f["/"]))
        with opened(path) as stored:
            assert len(stored.places) == 6

    def test_attributes(self, path):
        with opened(path) as stored:
            assert stored.attribute("name") == "péak"
            assert stored.attribute("number") == 3
            assert stored.attribute("none") is None
            with pytest.raises(
                TfbindError, match=r"a\.h5: found attribute 'many' of shape \(2,\), expected a single"
            ):
                stored.attribute("many")


def external_storage(file):
    file.create_dataset("x", shape=(3,), dtype="u1", external=[("/etc/passwd", 0, 3)])


def virtual(file):
    layout = h5py.VirtualLayout(shape=(20, 3), dtype="i4")
    layout[:] = h5py.VirtualSource("other.h5", "plain", shape=(20, 3))
    file.create_virtual_dataset("x", layout)


class TestElsewhere:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda f: f.__setitem__("x", h5py.ExternalLink("other.h5", "/x")), "'x' is a link to another"),
            (lambda f: f.__setitem__("x", h5py.SoftLink("/plain")), "'x' is a link to another place"),
            (lambda f: f["folder"].__setitem__("x", h5py.SoftLink("nowhere")), "'folder/x' is a link"),
            (external_storage, "data set 'x' takes its values from another file"),
            (virtual, "data set 'x' takes its values from another file"),
        ],
    )
    def test_is_refused_wherever_it_is(self, path, change, message):
        changed(path, change)
        with pytest.raises(TfbindError, match=rf"a\.h5: {message}"), opened(path):
            pass

    def test_is_refused_in_memory(self, path):
        changed(path, external_storage)
        with pytest.raises(TfbindError, match=r"m\.keras: data set 'x' takes"):
            open_hdf5(io.BytesIO(path.read_bytes()), "m.keras", "weights").__enter__()


def replace_chunk(name, data):
    def change(file):
        file[name].id.write_direct_chunk((0, 0), data)

    return change


class TestDamage:
    def refuse(self, path, name, message, **options):
        with pytest.raises(TfbindError, match=rf"a\.h5: {message}"), opened(path, **options) as stored:
            stored.find(name).read()

    def test_no_hdf5(self, tmp_path):
        (tmp_path / "a.h5").write_text("x")
        with pytest.raises(TfbindError, match="is not a readable HDF5 file, expected something else"):
            opened(tmp_path / "a.h5").__enter__()

    def test_cut_off(self, path):
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(TfbindError, match="is not a readable HDF5 file"):
            opened(path).__enter__()

    @pytest.mark.parametrize(
        ("name", "data", "message"),
        [
            ("gzip", zlib.compress(bytes(10)), "'gzip' has 10 bytes in the chunk at .*, expected 56"),
            ("gzip", zlib.compress(bytes(57)), "'gzip' has 57 bytes in the chunk at .*, expected 56"),
            ("gzip", zlib.compress(bytes(1 << 22)), "'gzip' has a chunk at .* that is cut off or too long"),
            ("gzip", zlib.compress(bytes(56))[:-5], "'gzip' has a chunk at .* that is cut off or too long"),
            ("shuffled", zlib.compress(bytes(11)), "'shuffled' has 11 bytes in the chunk at .*, expected 84"),
        ],
    )
    def test_a_chunk_of_another_size(self, path, name, data, message):
        self.refuse(changed(path, replace_chunk(name, data)), name, f"data set {message}")

    def test_a_chunk_that_is_not_gzip(self, path):
        self.refuse(
            changed(path, replace_chunk("gzip", b"what is this")),
            "gzip",
            r"damaged HDF5 file \(Error -3 while decompressing",
        )

    def test_a_short_chunk_of_text(self, path):
        changed(path, lambda f: f["text"].id.write_direct_chunk((0,), zlib.compress(bytes(7))))
        with opened(path) as stored, pytest.raises(TfbindError, match="'text' has 7 bytes in the chunk"):
            stored.find("text").text()

    def test_text_that_is_not_utf_8(self, path):
        changed(path, lambda f: f.create_dataset("bytes", data=[b"\xff"], dtype=h5py.string_dtype("utf-8")))
        with opened(path) as stored, pytest.raises(TfbindError, match=r"a\.h5: damaged HDF5 file \('utf"):
            stored.find("bytes").text()

    @pytest.mark.parametrize("options", [{}, {"compression": "gzip"}])
    def test_more_rows_than_are_stored(self, path, options):
        def change(file):
            one = file.create_dataset("big", (3,), "u1", chunks=(3,), maxshape=(None,), **options)
            one[:] = 1
            one.resize(10**9, axis=0)

        self.refuse(
            changed(path, change),
            "big",
            r"data set 'big' of shape \(1000000000,\) has 1 of its 333,333,334 chunks: incomplete",
        )

    def test_a_huge_chunk_of_few_bytes(self, path):
        def change(file):
            file.create_dataset("big", (1,), "u1", chunks=(2**30,), maxshape=(None,), compression="gzip")
            file["big"].id.write_direct_chunk((0,), zlib.compress(b"\1"))

        self.refuse(
            changed(path, change), "big", "data set 'big' of shape .* has more values than are stored"
        )

    def test_values_that_were_never_written(self, path):
        changed(path, lambda f: f.create_dataset("big", (10**12,), "f8"))
        self.refuse(path, "big", "data set 'big' of shape .* has more values than are stored")

    def test_another_filter(self, path):
        changed(path, lambda f: f.create_dataset("lzf", data=VALUES, compression="lzf"))
        self.refuse(path, "lzf", r"data set 'lzf' is compressed with filter \[32000\], expected gzip")

    def test_chunks_where_none_are_allowed(self, path):
        self.refuse(path, "loose", "data set 'loose' is stored in chunks, expected one piece", chunked=False)
        assert found(path, "plain", chunked=False).tolist() == VALUES.tolist()
