"""docs/format.md and the code say the same: its tables hold what writers write, and readers refuse what it says.

What stands in ``training`` is compared where models are trained: tests/binding/learning/test_training.py and its kin.
"""

import base64
import json
import re
import shutil
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tfbind.background.model import read_background_card, save_background
from tfbind.binding.encoding.from_peaks import encode_peaks
from tfbind.binding.model.calibration import SiteCalibration
from tfbind.binding.model.card import read_card, save_site_calibration
from tfbind.binding.model.schema import check_card
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import encode_letters
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.gkm import MASKS, N_FEATURES, evidence_tracks
from tfbind.errors import TfbindError
from tfbind.genotype_tensors import open_regions
from tfbind.genotypes.prior import Prior
from tfbind.genotypes.simulation import Setting
from tfbind.networks.spec import MOST_LAYERS, MOST_STEPS, MOST_UNITS, NetworkSpec
from tfbind.recombination.learning.simulations import write_simulations
from tfbind.recombination.mapping.card import read_rate_card, save_rate_model
from tfbind.recombination.mapping.rate_model import load_rate_model
from tfbind.recombination.mapping.relernn import save_relernn
from tfbind.recombination.options import RateOptions
from tfbind.tensor_files import FORMAT_VERSION as TENSORS_VERSION
from tfbind.tensor_files import MADE_BY as TENSORS_MADE_BY
from tfbind.tensors import open_tensors
from tfbind.training.archive import MOST_BYTES, MOST_EXPANSION, MOST_MEMBERS
from tfbind.training.model_file import CARD, FORMAT_VERSION, MADE_BY, read_members

DATA = Path(__file__).parent / "data"
TEXT = (Path(__file__).parents[1] / "docs" / "format.md").read_text()
CARDS = "Card of every model"


def must(table, but=()):
    return [name for name, row in table.items() if row["required"].startswith("MUST") and name not in but]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    path = tmp_path_factory.mktemp("simulated") / "sims.h5"
    setting = Setting(prior=Prior().changed({"diversity": 1e-3}), length=20_000, samples=3)
    write_simulations(setting, path, replicates=1, seed=1)
    return path


@pytest.fixture(scope="module")
def dna(fold_tensors, kmer_tensors):
    return fold_tensors, kmer_tensors


@pytest.fixture(scope="module")
def peak_tensors(tmp_path_factory):
    """Of peaks in a genome, with a contig held out for validation."""
    folder = tmp_path_factory.mktemp("peaks")
    letters = ["".join(np.random.default_rng(seed).choice(list("ACGT"), 2_000)) for seed in range(3)]
    (folder / "g.fa").write_text("".join(f">c{number}\n{text}\n" for number, text in enumerate(letters)))
    (folder / "p.bed").write_text(
        "".join(f"c{c}\t{s}\t{s + 1}\n" for c in range(3) for s in (300, 900, 1500))
    )
    options = EncodeOptions(length=30, test_contigs=("c1",), validation_contigs=("c2",), negative_ratio=1)
    encode_peaks(folder / "t.h5", folder / "p.bed", folder / "g.fa", "x", options)
    return folder / "t.h5"


@pytest.fixture
def damaged(tmp_path):
    """Copy a file and take something away: ``damaged(path, "attrs", "format")``."""

    def damaged(path, where, name):
        copy = tmp_path / "copy.h5"
        shutil.copy(path, copy)
        with h5py.File(copy, "a") as file:
            del (file.attrs if where == "attrs" else file)[name]
        return copy

    return damaged


@pytest.fixture(scope="module")
def written(tmp_path_factory, model_path):
    """A model file of each kind as it is written today; of all but binding with the card of a kept file."""
    import keras

    folder = tmp_path_factory.mktemp("written")
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    paths = {name: folder / f"{name}.keras" for name in ("background", "rates", "relernn")}
    for name, card, save in (
        ("background", read_background_card(DATA / "model-1.1-background.keras"), save_background),
        ("rates", read_rate_card(DATA / "model-1.2-rates.keras"), save_rate_model),
        ("relernn", load_rate_model(DATA / "model-1.1-relernn.keras", threads=1).card, save_relernn),
    ):
        save(paths[name], network, card)
    return paths | {"binding": model_path}


@pytest.fixture(scope="module")
def cards(written):
    return {name: json.loads(read_members(path)[CARD]) for name, path in written.items()}


class TestTensors:
    def test_attributes_of_dna(self, dna, documented):
        found = set()
        for path in dna:
            with h5py.File(path) as file:
                found |= set(file.attrs)
        every = documented["Attributes of every tensors file"] | documented["Attributes of kind dna"]
        assert found == set(every)

    def test_attributes_of_genotypes(self, simulated, documented):
        with h5py.File(simulated) as file:
            found = dict(file.attrs)
        every = documented["Attributes of every tensors file"] | documented["Attributes of kind genotypes"]
        assert set(found) == set(every)
        assert set(json.loads(found["setting"])) == set(documented["Setting"])

    @pytest.mark.parametrize("kind", ["dna", "genotypes"])
    def test_data_sets(self, simulated, dna, peak_tensors, documented, kind):
        table = documented[f"Data sets of kind {kind}"]
        for path in (*dna, peak_tensors) if kind == "dna" else [simulated]:
            with h5py.File(path) as file:
                has_folds = "folds" in file.attrs
                absent = set() if has_folds or kind != "dna" else {"fold"}
                if kind == "dna" and path != peak_tensors:
                    absent |= {name for name in table if name.startswith("scan_")} | {"flanks"}
                assert set(file) == set(table) - absent
                for name, dataset in file.items():
                    text = h5py.check_string_dtype(dataset.dtype)
                    dtype = "text" if text else str(dataset.dtype)
                    assert dtype in table[name]["dtype"].split(" or "), name
                    dimensions = [
                        shape.strip("()").rstrip(",").count(",") + 1
                        for shape in table[name]["shape"].split(" or ")
                    ]
                    assert dataset.ndim in dimensions, name
                    if text:
                        assert (text.encoding, text.length) == ("utf-8", None)
                    if name != "tasks":
                        assert dataset.compression == "gzip"
                        assert dataset.chunks[1:] == dataset.shape[1:]

    def test_without_a_required_item_dna_is_refused(self, dna, documented, damaged):
        attributes = documented["Attributes of every tensors file"] | documented["Attributes of kind dna"]
        path = dna[1]
        for where, table in (("attrs", attributes), ("sets", documented["Data sets of kind dna"])):
            for name in must(table, but=["fold"]):
                with pytest.raises(TfbindError), open_tensors(damaged(path, where, name)):
                    pass
        for where, name in (("attrs", "folds"), ("sets", "fold")):
            with open_tensors(damaged(dna[0], where, name)):
                pass
            with pytest.raises(TfbindError), open_tensors(damaged(dna[0], where, name), 1):
                pass
        with open_tensors(damaged(path, "attrs", "negative_method")):
            pass

    def test_without_a_required_item_genotypes_are_refused(self, simulated, documented, damaged):
        attributes = (
            documented["Attributes of every tensors file"] | documented["Attributes of kind genotypes"]
        )
        for where, table in (("attrs", attributes), ("sets", documented["Data sets of kind genotypes"])):
            assert must(table) == list(table)
            for name in table:
                with pytest.raises(TfbindError), open_regions(damaged(simulated, where, name)):
                    pass


class TestModels:
    @pytest.mark.parametrize(
        ("name", "heading", "nested"),
        [
            ("binding", "Kind binding", ("network", "encoding", "calibration")),
            ("background", "Kind background", ()),
            ("rates", "Rates from tokens", ("network", "scaling", "seen", "calibration")),
            ("relernn", "Relernn", ("sample", "target")),
        ],
    )
    def test_cards(self, cards, documented, check_documented, name, heading, nested):
        card = cards[name]
        assert set(card) == set(documented[CARDS]) | set(documented[heading])
        assert not set(documented[CARDS]) & set(documented[heading])
        for key in nested:
            check_documented(f"{name.capitalize()}: {key}", card[key])
        check_documented("Software", card["software"])

    def test_sites_of_a_binding_model(self, written, documented, check_documented, tmp_path):
        sites = SiteCalibration(
            slope=(1.0,), intercept=(-4.0,), expected_per_mb=(60.0,), stride=6, distance=45, contigs=("I",)
        )
        save_site_calibration(written["binding"], tmp_path / "m.keras", sites)
        card = json.loads(read_members(tmp_path / "m.keras")[CARD])
        check_documented("Binding: sites", card["sites"])
        assert must(documented["Binding: sites"]) == list(card["sites"])
        for key in card["sites"]:
            damaged = card | {"sites": {each: value for each, value in card["sites"].items() if each != key}}
            with pytest.raises(TfbindError, match=key):
                check_card("m.keras", damaged)

    def test_an_ensemble(self, ensemble_path, documented):
        members = read_members(ensemble_path)
        card = json.loads(members[CARD])
        of_one = set(documented["Kind binding"]) - {"network", "gkm"}
        assert set(card) == set(documented[CARDS]) | of_one | set(documented["Ensembles"])
        folders = {f"members/{number}/{name}" for number in (1, 2) for name in documented["Model files"]}
        assert set(members) == {CARD} | {name for name in folders if not name.endswith(CARD)}
        for key in ("network", "gkm"):
            with pytest.raises(TfbindError, match=f"has members and {key}"):
                check_card("m.keras", card | {key: card["members"][0][key]})
            damaged = [{name: value for name, value in card["members"][0].items() if name != key}]
            with pytest.raises(TfbindError, match=key):
                check_card("m.keras", card | {"members": [*damaged, card["members"][1]]})

    def test_members(self, written, documented):
        for path in written.values():
            assert set(read_members(path)) == set(documented["Model files"])

    @pytest.mark.parametrize(
        ("name", "heading", "read"),
        [
            ("binding", "Kind binding", read_card),
            ("background", "Kind background", read_background_card),
            ("rates", "Rates from tokens", read_rate_card),
            ("relernn", "Relernn", load_rate_model),
        ],
    )
    def test_without_a_required_key_they_are_refused(
        self, written, cards, documented, tmp_path, name, heading, read
    ):
        optional = ["software", "features_version", "architecture"]
        members = read_members(written[name])
        for key in must(documented[CARDS] | documented[heading], but=optional):
            card = {each: value for each, value in cards[name].items() if each != key}
            with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
                for member, data in (members | {CARD: json.dumps(card).encode()}).items():
                    file.writestr(member, data)
            with pytest.raises(TfbindError, match=r"m\.keras: "):
                read(tmp_path / "m.keras")

    def test_kinds(self, documented):
        kinds = {name.removeprefix("Kind ") for name in documented if name.startswith("Kind ")} | {"rates"}
        assert kinds == set(MADE_BY)
        assert {json.loads(read_members(path)[CARD])["kind"] for path in DATA.glob("*.keras")} == kinds
        for kind, verb in MADE_BY.items():
            section = TEXT.split(f"### Kind {kind}\n")[1].split("\n### ")[0]
            assert f"Made by `{verb}`." in section

    def test_defaults(self, documented):
        for heading, made in (
            ("Binding: network", NetworkSpec(architecture="", length=1)),
            ("Rates: network", RateOptions()),
        ):
            for name, row in documented[heading].items():
                if row["required"] == "MAY":
                    value = json.dumps(getattr(made, name)).strip('"')
                    assert row["meaning"].count(f"default `{value}`") == 1, name


def test_limits():
    for row in (
        f"| `length`, `kernel_size`, `pool`, `stride` | 1 to {MOST_STEPS:,} |",
        f"| `layers` | 1 to {MOST_LAYERS}; 0 is allowed",
        f"| `units`, `embedding`, `n_tasks`, `crop`, `columns`, `sites` | 1 to {MOST_UNITS:,} |",
        f"| `filters` | 0 to {MOST_UNITS:,};",
    ):
        assert f"\n{row}" in TEXT
    for text in (
        f"more than {MOST_MEMBERS:,} members",
        f"{MOST_BYTES // 2**20} MiB and {MOST_EXPANSION} times",
    ):
        assert text in TEXT


def test_versions():
    rows = re.findall(r"^\| (tensors|model) file \| (\S+) \| (\S+ to )?(\S+) \|$", TEXT, re.MULTILINE)
    assert [(name, written, newest) for name, written, _, newest in rows] == [
        ("tensors", TENSORS_VERSION, TENSORS_VERSION),
        ("model", FORMAT_VERSION, FORMAT_VERSION),
    ]
    assert set(TENSORS_MADE_BY) == {"dna", "genotypes"}
    for path in DATA.glob("*-?.?-*"):
        assert f"Data sets of kind {'genotypes' if 'genotypes' in path.name else 'dna'}" in TEXT


class TestDefinitions:
    """What the document defines in words, computed by its words."""

    def digest(self, sequence):
        """By 'Digests', with Python's numbers."""
        wrap = 2**64
        strands = sequence, sequence[::-1].translate(str.maketrans("ACGT", "TGCA"))
        found = []
        for strand in strands:
            h = 0xCBF29CE484222325
            for base in strand:
                h = ((h ^ ("ACGT".find(base) + 1 or 5)) * 0x100000001B3) % wrap
            z = (h ^ (h >> 30)) * 0xBF58476D1CE4E5B9 % wrap
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB % wrap
            found.append(z ^ (z >> 31))
        return min(found)

    def test_digests(self):
        rows = re.findall(r"^\| `([ACGTN]+)` \| `0x([0-9A-F]{16})` \|$", TEXT, re.MULTILINE)
        assert len(rows) == 4
        for sequence, digest in rows:
            codes = encode_letters(sequence.ljust(20, "N"))[None]
            (found,) = strand_canonical_digests(codes, np.array([len(sequence)], np.int32))
            assert int(found) == int(digest, 16) == self.digest(sequence)

    def test_arrays_in_text(self):
        card = read_card(DATA / "model-1.1-binding.keras")
        values = json.loads(read_members(DATA / "model-1.1-binding.keras")[CARD])
        assert np.array_equal(np.frombuffer(base64.b64decode(values["digests"]), "<u8"), card.digests)
        assert (np.diff(card.digests.astype(object)) > 0).all()
        gkm = np.frombuffer(base64.b64decode(values["gkm"]), "<f4").reshape(1, 122_880)
        assert np.array_equal(gkm, card.gkm)

    def test_gapped_kmers(self):
        block = TEXT.split("in this order:\n")[1].split("A mask with")[0]
        masks = tuple(block.split())
        assert masks == MASKS
        assert sum(4 ** mask.count("1") for mask in masks) == N_FEATURES == 122_880
        gkm = read_card(DATA / "model-1.1-binding.keras").gkm
        sequence = "GATTACANGGTGACGTCATTAC"
        expected = np.zeros(len(sequence))
        first = 0
        for mask in masks:
            kept = [at for at, letter in enumerate(mask) if letter == "1"]
            w = len(mask)
            for s in range(len(sequence) - w + 1):
                bases = [sequence[s + at] for at in kept]
                if "N" in bases:
                    continue
                forward = "".join(str("ACGT".index(base)) for base in bases)
                reverse = "".join(str(3 - "ACGT".index(base)) for base in bases[::-1])
                weight = gkm[0, first + min(int(forward, 4), int(reverse, 4))]
                expected[s + (w - 1) // 2] += weight / 2
                expected[s + w // 2] += weight / 2
            first += 4 ** len(kept)
        codes = encode_letters(sequence.ljust(30, "N"))[None]
        found = evidence_tracks(codes, np.array([len(sequence)], np.int32), gkm[None])[0, :, 0]
        assert np.abs(expected).max() > 0
        np.testing.assert_allclose(found[: len(sequence)], expected, atol=1e-6)
        assert not found[len(sequence) :].any()
