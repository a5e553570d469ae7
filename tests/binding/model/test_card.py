import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import asdict

import h5py
import keras
import numpy as np
import pytest

from tfbind.binding.model.calibration import SiteCalibration
from tfbind.binding.model.card import ModelCard, read_card, save_model, save_site_calibration
from tfbind.binding.model.model import BindingModel
from tfbind.dna.encoding import DnaEncoding
from tfbind.dna.minimizers import Scheme, Sketches
from tfbind.errors import TfbindError
from tfbind.networks.build import build
from tfbind.networks.spec import make_spec
from tfbind.training.device import prepare, seeded
from tfbind.training.forward import make_forward
from tfbind.training.model_file import CARD, WEIGHTS, load_network

X = np.random.default_rng(1).integers(0, 2, (3, 30, 4)).astype(np.uint8)
VALID_LENGTH = np.array([30, 20, 12], np.int32)
SKETCHES = Sketches(Scheme(20, 4), np.array([7, 2**32 - 1, 0], np.uint32), np.array([2, 0, 1], np.int32))
DIGESTS = np.array([3, 2**63 + 5, 2**64 - 1], np.uint64)


def made() -> tuple[keras.Model, ModelCard]:
    prepare(threads=1)
    spec = make_spec("bigru", length=30, units=2, n_tasks=2)
    with seeded(4):
        network = build(spec)
    card = ModelCard(
        network=spec,
        encoding=DnaEncoding(encoding="onehot", length=30),
        tasks=("CREB", "SP1"),
        calibration={"method": "platt", "slope": [1.5, 1.0], "intercept": [-0.25, 0.0]},
        threshold=(0.5, 0.25),
        negative_method="given",
        digests=DIGESTS,
        sketches=SKETCHES,
        training={"n_train": 12},
    )
    return network, card


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    network, card = made()
    path = tmp_path_factory.mktemp("saved") / "new folder" / "m.keras"
    save_model(path, network, card)
    return path, network, card


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


SITES = SiteCalibration(
    slope=(1.5, None),
    intercept=(-4.0, None),
    expected_per_mb=(62.5, None),
    stride=3,
    distance=22,
    contigs=("IV", "VII"),
)


class TestSiteCalibration:
    def test_comes_back_and_nothing_else_changes(self, saved, tmp_path):
        assert read_card(saved[0]).sites is None
        save_site_calibration(saved[0], tmp_path / "c.keras", SITES)
        found = read_card(tmp_path / "c.keras")
        assert found.sites == SITES
        before, after = (zipfile.ZipFile(path) for path in (saved[0], tmp_path / "c.keras"))
        with before, after:
            names = [name for name in before.namelist() if name != CARD]
            assert [after.read(name) for name in names] == [before.read(name) for name in names]
            one, other = (json.loads(each.read(CARD)) for each in (before, after))
        assert other == one | {"sites": other["sites"]}

    def test_of_a_card_without_the_key_there_is_none(self, rewrite, card_values):
        del card_values["sites"]
        assert read_card(rewrite(card=json.dumps(card_values).encode())).sites is None

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"slope": [1.5]}, "sites.slope has 1 values, expected 2, one for each factor"),
            ({"slope": [-1.0, None]}, r"sites.slope\[0\] is -1.0"),
            ({"slope": [None, 2.0]}, "is null for other factors than sites.slope"),
            ({"intercept": ["x", None]}, r"sites.intercept\[0\] is 'x'"),
            ({"stride": 0}, "sites.stride is 0"),
            ({"contigs": ["a\tb"]}, r"sites.contigs\[0\]"),
        ],
    )
    def test_a_damaged_one_is_refused(self, rewrite, card_values, change, message):
        card_values["sites"] = asdict(SITES) | change
        with pytest.raises(TfbindError, match=message):
            read_card(rewrite(card=json.dumps(card_values).encode()))


class TestSaved:
    def test_comes_back(self, saved):
        path, network, card = saved
        found = read_card(path)
        for name in (
            "network",
            "encoding",
            "tasks",
            "calibration",
            "threshold",
            "negative_method",
            "training",
        ):
            assert getattr(found, name) == getattr(card, name)
        assert np.array_equal(found.digests, DIGESTS)
        assert found.sketches.scheme == SKETCHES.scheme
        assert np.array_equal(found.sketches.hashes, SKETCHES.hashes)
        assert np.array_equal(found.sketches.counts, SKETCHES.counts)
        assert set(found.software) == {"tfbind", "keras", "tensorflow", "numpy", "python"}

        loaded = load_network(path, found.network)
        assert np.array_equal(*(make_forward(one)(X, VALID_LENGTH) for one in (loaded, network)))

    @pytest.mark.parametrize("card", ["without", "none"])
    def test_may_lack_minimizers(self, rewrite, card_values, card):
        # models of earlier versions have none
        if card == "without":
            del card_values["sketches"]
        else:
            card_values["sketches"] = None
        assert read_card(rewrite(card=json.dumps(card_values).encode())).sketches is None

    def test_is_the_same_file_the_second_time(self, saved, tmp_path):
        save_model(tmp_path / "again.keras", *made())
        assert (tmp_path / "again.keras").read_bytes() == saved[0].read_bytes()

    def test_keras_opens_it(self, saved):
        path, network, _ = saved
        loaded = keras.models.load_model(path)
        assert np.array_equal(*(make_forward(one)(X, VALID_LENGTH) for one in (loaded, network)))

    def test_its_card_is_read_without_tensorflow(self, saved):
        code = (
            "import sys; from tfbind.binding.model.card import read_card;"
            f" print(read_card({str(saved[0])!r}).tasks);"
            " print({'keras', 'tensorflow'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.stdout == "('CREB', 'SP1')\nset()\n"


def test_keys_that_it_does_not_know_are_ignored(rewrite, card_values, saved):
    found = read_card(rewrite(card=json.dumps(card_values | {"color": "blue"}).encode()))
    assert found.network == saved[2].network


class TestRefused:
    """What tests/training/test_model_file.py tests of any model file, `read_card` passes on."""

    def test_what_is_no_model_file(self, tmp_path):
        with pytest.raises(TfbindError, match=r"no\.keras: no such file"):
            read_card(tmp_path / "no.keras")

    def test_another_kind(self, rewrite, card_values):
        path = rewrite(card=json.dumps(card_values | {"kind": "rates"}).encode())
        with pytest.raises(
            TfbindError,
            match=r"kind 'rates' \(of tfbind recombination train\), expected kind 'binding' \(of tfbind train\)",
        ):
            read_card(path)

    def test_gapped_kmers_of_version_1_0(self, rewrite, card_values):
        gkm = {"cap": 2, "weights": base64.b64encode(np.zeros(6, "<f4").tobytes()).decode()}
        path = rewrite(card=json.dumps(card_values | {"format_version": "1.0", "gkm": gkm}).encode())
        with pytest.raises(
            TfbindError, match=r"found gapped k-mers of model format 1\.0, .* again with tfbind train"
        ):
            read_card(path)

    @pytest.mark.filterwarnings("ignore:Skipping nested container")
    def test_weights_of_another_network(self, saved, rewrite, card_values):
        card_values["network"]["units"] = 3
        path = rewrite(card=json.dumps(card_values).encode())
        with pytest.raises(TfbindError, match=r"config\.json: layer 'strand': .*: found units 2, expected 3"):
            load_network(path, read_card(path).network)

    @pytest.mark.parametrize(
        "change",
        [
            {"network": {"architecture": "bigru", "length": 30, "unheard": 1}},
            {"network": None},
            {"encoding": {}},
            {"tasks": None},
            {"threshold": 3},
            {"calibration": {}},
            {"calibration": {"method": "isotonic", "slope": [1.0, 1.0], "intercept": [0.0, 0.0]}},
            {"calibration": {"method": "platt", "slope": [1.0], "intercept": [0.0]}},
            {"digests": "x"},
            {"digests": base64.b64encode(b"12345").decode()},
            {"sketches": {}},
            {"sketches": {"k": 20, "window": 4, "hashes": "AAAA", "counts": ""}},
            {"sketches": {"k": 20, "window": 4, "hashes": "", "counts": base64.b64encode(b"1234").decode()}},
        ],
    )
    def test_a_card_with_odd_entries(self, rewrite, card_values, change):
        with pytest.raises(TfbindError, match=r"changed\.keras: .*damaged"):
            read_card(rewrite(card=json.dumps(card_values | change).encode()))

    @pytest.mark.parametrize("name", ["kind", "network", "tasks", "digests", "calibration"])
    def test_a_card_that_lacks_an_entry(self, rewrite, card_values, name):
        del card_values[name]
        with pytest.raises(TfbindError, match=r"changed\.keras: "):
            read_card(rewrite(card=json.dumps(card_values).encode()))


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
    with pytest.raises(TfbindError, match=r"config\.json: found layers .*, expected .* as in the network"):
        load_network(path, read_card(path).network)
    assert not witness.exists()


class TestEnsemble:
    """A file of several networks."""

    @pytest.fixture
    def changed(self, ensemble_path, tmp_path):
        """``changed(change)``: the ensemble's file with its card and members changed in place, and new checksums."""

        def changed(change, *, sums=True):
            path = tmp_path / "changed.keras"
            with zipfile.ZipFile(ensemble_path) as source:
                members = {name: source.read(name) for name in source.namelist()}
            card = json.loads(members.pop(CARD))
            change(card, members)
            if sums:
                card["sha256"] = {name: hashlib.sha256(data).hexdigest() for name, data in members.items()}
            with zipfile.ZipFile(path, "w") as target:
                target.writestr(CARD, json.dumps(card))
                for name, data in members.items():
                    target.writestr(name, data)
            return path

        return changed

    def test_its_networks_are_by_their_folder(self, ensemble_path, two_factor_model_path):
        card, one = read_card(ensemble_path), read_card(two_factor_model_path)
        assert list(card.networks()) == ["members/1/", "members/2/"]
        assert [member.network for member in card.networks().values()] == [one.network] * 2
        assert card.network == one.network
        assert (list(one.networks()), one.members) == ([""], ())

    def test_keras_does_not_open_it_as_one_network(self, ensemble_path):
        with pytest.raises(Exception, match=r"config\.json"):
            keras.models.load_model(ensemble_path)

    def test_sites_are_calibrated_for_all(self, ensemble_path, tmp_path):
        save_site_calibration(ensemble_path, tmp_path / "c.keras", SITES)
        assert read_card(tmp_path / "c.keras").sites == SITES
        assert BindingModel(tmp_path / "c.keras", threads=1).card.sites == SITES
        with zipfile.ZipFile(ensemble_path) as before, zipfile.ZipFile(tmp_path / "c.keras") as after:
            assert after.namelist() == before.namelist()

    @pytest.mark.parametrize(
        ("members", "message"),
        [
            ([], "members is .* expected array of length >= 2"),
            (None, "members is None, expected array"),
            ([{"network": {}}], "members"),
            ([{}] * 101, "members"),
        ],
    )
    def test_a_list_that_is_none_is_refused(self, changed, members, message):
        def change(card, _):
            card["members"] = members

        with pytest.raises(TfbindError, match=f"changed.keras: its tfbind.json is damaged: {message}"):
            read_card(changed(change))

    @pytest.mark.parametrize(
        ("key", "value", "message"),
        [
            ("n_tasks", 1, r"members\[1\]\.network\.n_tasks is 1, expected 2 as in tasks"),
            ("length", 59, r"members\[1\]\.network\.length is 59, expected 60 for this encoding"),
            ("tracks", True, r"members\[1\]\.gkm is missing, but network\.tracks is True"),
            ("layers", 0, r"members\[1\]\.network\.layers is 0, expected at least 1"),
            ("colour", 1, r"members\[1\]\.network contains unknown field 'colour'"),
        ],
    )
    def test_every_network_is_checked(self, changed, key, value, message):
        def change(card, _):
            card["members"][1]["network"][key] = value

        with pytest.raises(TfbindError, match=message):
            read_card(changed(change))

    def test_a_network_that_is_not_there(self, changed):
        def change(_, members):
            del members["members/2/model.weights.h5"]

        with pytest.raises(TfbindError, match=r"damaged: its member members/2/model\.weights\.h5 is missing"):
            BindingModel(changed(change), threads=1)

    def test_a_network_that_was_changed(self, changed):
        def change(_, members):
            members["members/2/model.weights.h5"] = members["members/1/model.weights.h5"]

        with pytest.raises(
            TfbindError, match=r"its member members/2/model\.weights\.h5 is not what was saved"
        ):
            read_card(changed(change, sums=False))

    def test_a_configuration_of_another_network(self, changed):
        def change(_, members):
            config = members["members/2/config.json"].replace(b'"units": 4', b'"units": 5')
            members["members/2/config.json"] = config

        with pytest.raises(TfbindError, match=r"members/2/config\.json: layer .*found units 5, expected 4"):
            BindingModel(changed(change), threads=1)

    def test_weights_that_are_not_finite(self, changed):
        def change(_, members):
            weights = io.BytesIO(members["members/2/model.weights.h5"])
            with h5py.File(weights, "r+") as file:

                def spoil(_, found):
                    if isinstance(found, h5py.Dataset) and found.dtype == np.float32:
                        found[...] = np.nan

                file.visititems(spoil)
            members["members/2/model.weights.h5"] = weights.getvalue()

        with pytest.raises(TfbindError, match=r"found nan .* at 'members/2/.*expected numbers below"):
            BindingModel(changed(change), threads=1)
