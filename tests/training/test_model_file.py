"""The model file as a container: a plain network, and a card that holds nothing but its kind."""

import hashlib
import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from tfbind import __version__
from tfbind.errors import TfbindError
from tfbind.training.device import prepare, seeded
from tfbind.training.model_file import (
    CARD,
    FORMAT_VERSION,
    WEIGHTS,
    change_card,
    fill,
    read_members,
    read_values,
    write_model,
)

X = np.random.default_rng(1).normal(size=(3, 5)).astype(np.float32)
KIND = "binding"


def plain(units=4):
    x = keras.Input((5,), name="x")
    h = keras.layers.Dense(units, activation="relu", name="hidden")(x)
    return keras.Model(x, keras.layers.Dense(1, name="out")(h), name="plain")


def outputs(network):
    return np.asarray(network(X))


def write(path):
    prepare(threads=1)
    with seeded(4):
        network = plain()
    write_model(path, network, {"kind": KIND, "note": "of no use"})
    return network


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "new folder" / "m.keras"
    return path, write(path)


@pytest.fixture
def rewrite(saved, tmp_path):
    """Write the model file again with some members changed: ``rewrite(card=..., **members)``."""

    def rewrite(*, sums=False, **changed: bytes | None):
        path = tmp_path / "changed.keras"
        with zipfile.ZipFile(saved[0]) as source:
            members = {name: source.read(name) for name in source.namelist()}
        members |= {
            {"card": CARD, "weights": WEIGHTS, "config": "config.json"}[k]: v for k, v in changed.items()
        }
        members = {name: data for name, data in members.items() if data is not None}
        if sums:
            card = json.loads(members[CARD])
            card["sha256"] = {n: hashlib.sha256(d).hexdigest() for n, d in members.items() if n != CARD}
            members[CARD] = json.dumps(card).encode()
        with zipfile.ZipFile(path, "w") as target:
            for name, data in members.items():
                target.writestr(name, data)
        return path

    return rewrite


@pytest.fixture
def card_values(saved) -> dict:
    with zipfile.ZipFile(saved[0]) as archive:
        return json.loads(archive.read(CARD))


class TestSaved:
    def test_comes_back(self, saved):
        path, network = saved
        values = read_values(path, KIND)
        assert values["note"] == "of no use"
        assert values["format_version"] == FORMAT_VERSION
        assert set(values["software"]) == {"tfbind", "keras", "tensorflow", "numpy", "python"}
        assert values["software"]["tfbind"] == __version__

        loaded = plain()
        assert not np.array_equal(outputs(loaded), outputs(network))
        fill(loaded, path)
        assert np.array_equal(outputs(loaded), outputs(network))

    def test_is_one_file_in_a_folder_that_is_made(self, saved):
        assert [entry.name for entry in saved[0].parent.iterdir()] == ["m.keras"]

    def test_is_the_same_file_the_second_time(self, saved, tmp_path):
        write(tmp_path / "again.keras")
        assert (tmp_path / "again.keras").read_bytes() == saved[0].read_bytes()

    def test_keras_opens_it(self, saved):
        path, network = saved
        assert np.array_equal(outputs(keras.models.load_model(path)), outputs(network))

    def test_its_card_is_read_without_tensorflow(self, saved):
        code = (
            "import sys; from tfbind.training.model_file import read_values;"
            f" print(read_values({str(saved[0])!r}, {KIND!r})['note']);"
            " print({'keras', 'tensorflow'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "of no use\nset()\n"


class TestIgnored:
    def test_members_and_keys_of_other_software(self, saved, tmp_path):
        path = tmp_path / "more.keras"
        with zipfile.ZipFile(saved[0]) as source, zipfile.ZipFile(path, "w") as target:
            for name in source.namelist():
                data = source.read(name)
                if name == CARD:
                    data = json.dumps(json.loads(data) | {"color": "blue"}).encode()
                target.writestr(name, data)
            target.writestr("notes.txt", b"mine")
        assert read_values(path, KIND)["color"] == "blue"
        loaded = plain()
        fill(loaded, path)
        assert np.array_equal(outputs(loaded), outputs(saved[1]))


class TestChanged:
    def test_the_network_stays_and_so_does_the_rest_of_the_card(self, saved, tmp_path):
        output = tmp_path / "changed.keras"
        change_card(saved[0], output, {"note": "of some use", "more": 3})
        before, after = read_members(saved[0]), read_members(output)
        old, new = json.loads(before.pop(CARD)), json.loads(after.pop(CARD))
        assert before == after
        assert new == old | {"note": "of some use", "more": 3}

    def test_an_old_version_stays_one(self, rewrite, card_values, tmp_path):
        path = rewrite(card=json.dumps(card_values | {"format_version": "1.0"}).encode())
        change_card(path, tmp_path / "m.keras", {"note": ""})
        assert read_values(tmp_path / "m.keras", KIND)["format_version"] == "1.0"


class TestVersions:
    @pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
    def test_these_are_read(self, rewrite, card_values, version):
        path = rewrite(card=json.dumps(card_values | {"format_version": version}).encode())
        assert read_values(path, KIND)["format_version"] == version

    def test_a_newer_format(self, rewrite, card_values):
        card_values |= {"format_version": "2.0", "software": {"tfbind": "9.1"}, "new": 1}
        with pytest.raises(
            TfbindError,
            match=rf"changed\.keras: found model format '2\.0', made by tfbind 9\.1; tfbind {__version__} reads 1\.0 to"
            r" 1\.3: update tfbind, or make the file again with tfbind train$",
        ):
            read_values(rewrite(card=json.dumps(card_values).encode()), KIND)

    @pytest.mark.parametrize("change", [{"format_version": "1.4"}, {"format_version": "1.10", "kind": "new"}])
    def test_a_newer_minor_version(self, rewrite, card_values, change):
        with pytest.raises(TfbindError, match=r"found model format '1\.\d+', .*: update tfbind, or make"):
            read_values(rewrite(card=json.dumps(card_values | change).encode()), KIND)

    @pytest.mark.parametrize("change", [{"software": None}, {"software": []}, {"software": {}}])
    def test_one_that_does_not_say_what_made_it(self, rewrite, card_values, change):
        card = card_values | {"format_version": "3.0"} | change
        with pytest.raises(TfbindError, match="made by unknown software"):
            read_values(rewrite(card=json.dumps(card).encode()), KIND)

    @pytest.mark.parametrize("version", [None, 1.2, "", "1"])
    def test_what_is_no_version(self, rewrite, card_values, version):
        with pytest.raises(TfbindError, match="found model format"):
            read_values(rewrite(card=json.dumps(card_values | {"format_version": version}).encode()), KIND)

    def test_another_format(self, rewrite, card_values):
        card_values["format"] = "other"
        with pytest.raises(TfbindError, match="found format 'other', expected 'tfbind-model'"):
            read_values(rewrite(card=json.dumps(card_values).encode()), KIND)


class TestRefused:
    def test_missing(self, tmp_path):
        with pytest.raises(TfbindError, match=r"no\.keras: no such file"):
            read_values(tmp_path / "no.keras", KIND)

    def test_a_folder_is_said_to_be_one(self, tmp_path):
        with pytest.raises(TfbindError, match="is a folder, expected a file"):
            read_values(tmp_path, KIND)

    @pytest.mark.parametrize("content", [b"", b"no zip", b"\x89HDF\r\n\x1a\n" + bytes(600)])
    def test_no_zip(self, tmp_path, content):
        path = tmp_path / "m.keras"
        path.write_bytes(content)
        with pytest.raises(TfbindError, match=r"m\.keras: damaged or no model file"):
            read_values(path, KIND)

    def test_a_model_of_keras_alone(self, saved, tmp_path):
        path = tmp_path / "plain.keras"
        saved[1].save(path)
        with pytest.raises(TfbindError, match=r"plain\.keras: found no tfbind\.json inside"):
            read_values(path, KIND)

    def test_cut_off(self, saved, tmp_path):
        path = tmp_path / "m.keras"
        path.write_bytes(saved[0].read_bytes()[:-3000])
        with pytest.raises(TfbindError, match=r"m\.keras: damaged"):
            read_values(path, KIND)

    @pytest.mark.parametrize("part", range(20))
    def test_overwritten_in_any_place(self, saved, tmp_path, part):
        data = bytearray(saved[0].read_bytes())
        start = len(data) * part // 20
        data[start : start + 40] = bytes(byte ^ 0x5A for byte in data[start : start + 40])
        path = tmp_path / "m.keras"
        path.write_bytes(data)
        with pytest.raises(TfbindError, match=r"m\.keras: "):
            read_values(path, KIND)

    def test_other_weights(self, saved, rewrite):
        with zipfile.ZipFile(saved[0]) as archive:
            weights = bytearray(archive.read(WEIGHTS))
        weights[-100] ^= 1
        path = rewrite(weights=bytes(weights))
        for read in (read_members, lambda path: read_values(path, KIND), lambda path: fill(plain(), path)):
            with pytest.raises(
                TfbindError, match=r"damaged: its member model\.weights\.h5 is not what was saved"
            ):
                read(path)

    def test_no_weights(self, rewrite):
        with pytest.raises(TfbindError, match=r"damaged: its member model\.weights\.h5"):
            read_values(rewrite(weights=None), KIND)

    @pytest.mark.filterwarnings("ignore:Skipping nested container")
    def test_weights_of_another_network(self, saved):
        with pytest.raises(TfbindError, match=r"m\.keras: the weights do not fit the network"):
            fill(plain(units=3), saved[0])

    def test_another_kind(self, saved):
        with pytest.raises(
            TfbindError, match=r"kind 'binding' \(of tfbind train\), expected kind 'recombination'"
        ):
            read_values(saved[0], "recombination")
        with pytest.raises(TfbindError, match=r"expected kind 'rates' \(of tfbind recombination train\)"):
            read_values(saved[0], "rates")

    @pytest.mark.parametrize("kind", [None, 3, [], {}])
    def test_a_kind_that_is_no_name(self, rewrite, card_values, kind):
        with pytest.raises(TfbindError, match=r"found a model of kind .*, expected kind 'binding'"):
            read_values(rewrite(card=json.dumps(card_values | {"kind": kind}).encode()), KIND)

    @pytest.mark.parametrize("change", [{"sha256": None}, {"sha256": []}])
    def test_a_card_with_odd_entries(self, rewrite, card_values, change):
        with pytest.raises(TfbindError, match=r"changed\.keras: .*damaged"):
            read_values(rewrite(card=json.dumps(card_values | change).encode()), KIND)

    @pytest.mark.parametrize("name", ["kind", "format", "format_version", "sha256"])
    def test_a_card_that_lacks_an_entry(self, rewrite, card_values, name):
        del card_values[name]
        with pytest.raises(TfbindError, match=r"changed\.keras: "):
            read_values(rewrite(card=json.dumps(card_values).encode()), KIND)

    @pytest.mark.parametrize("card", [b"", b"[]", b"\xff\xfe", b'"text"', b"3"])
    def test_a_card_that_is_no_card(self, rewrite, card):
        with pytest.raises(TfbindError, match=r"changed\.keras: damaged or no model file"):
            read_values(rewrite(card=card), KIND)


def test_nothing_out_of_the_file_is_ever_run(saved, rewrite, tmp_path):
    # a network whose config holds a Lambda, with checksums that are right
    witness = tmp_path / "witness"
    name = str(witness)
    x = keras.Input((2,))
    touch = keras.layers.Lambda(lambda v: (open(name, "w"), v)[1], output_shape=(2,))  # noqa: SIM115
    keras.Model(x, touch(x)).save(tmp_path / "evil.keras")
    with zipfile.ZipFile(tmp_path / "evil.keras") as archive:
        config = archive.read("config.json")
    witness.unlink(missing_ok=True)
    keras.models.load_model(tmp_path / "evil.keras", safe_mode=False)(np.ones((1, 2), np.float32))
    assert witness.exists()
    witness.unlink()

    path = rewrite(config=config, sums=True)
    read_values(path, KIND)
    loaded = plain()
    fill(loaded, path)
    assert np.array_equal(outputs(loaded), outputs(saved[1]))
    assert not witness.exists()
