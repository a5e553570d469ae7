"""Files of every format that tfbind has written: each is read for ever, and says what it always said.

`tests/data/README.md` lists them, with what made each.
"""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from tfbind.background.model import read_background_card
from tfbind.binding.model.card import read_card
from tfbind.recombination.mapping.card import read_rate_card
from tfbind.recombination.mapping.rate_model import load_rate_model
from tfbind.recombination.mapping.site_windows import Sample

DATA = Path(__file__).parent / "data"
KEPT = json.loads((DATA / "kept.json").read_text())
MODELS = sorted(path.name for path in DATA.glob("model-*.keras"))
# networks that read one thing at a time are Keras's alone
KERAS_ALONE = ("background", "relernn")


@pytest.fixture(scope="module")
def make_kept():
    return runpy.run_path(str(DATA / "make_kept.py"))


def assert_close(found, expected):
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        if isinstance(values, str):
            assert found[name] == values
        else:
            np.testing.assert_allclose(found[name], values, rtol=1e-5, atol=1e-6, err_msg=name)


def test_every_kept_file_has_its_expectation_and_its_line_in_the_readme():
    assert set(MODELS) | {"tensors-1.0-genotypes.h5"} == set(KEPT)
    readme = (DATA / "README.md").read_text()
    for path in DATA.iterdir():
        assert f"`{path.name}{'/' * path.is_dir()}`" in readme or path.name in ("README.md", "__pycache__")
        assert path.stat().st_size < 100_000


@pytest.mark.parametrize("engine", ["keras", "openvino"])
@pytest.mark.parametrize("name", MODELS)
def test_a_kept_model_predicts_as_ever(make_kept, name, engine):
    if engine == "openvino" and name.removesuffix(".keras").endswith(KERAS_ALONE):
        pytest.skip("this network runs on Keras alone")
    assert_close(make_kept["predictions"](DATA / name, engine), KEPT[name])


def test_the_kept_genotypes_are_read_as_ever(make_kept):
    found = json.loads(json.dumps(make_kept["contents"](DATA / "tensors-1.0-genotypes.h5")))
    assert found == KEPT["tensors-1.0-genotypes.h5"]


class TestCards:
    """What a reader takes from a kept file's card."""

    @pytest.mark.parametrize(
        ("name", "architecture", "encoding", "tracks"),
        [
            ("model-1.1-binding.keras", "gkm-bilstm", (30, None, None), True),
            ("model-1.1-kmer.keras", "conv-bilstm", (30, 2, 1), False),
        ],
    )
    def test_of_binding(self, name, architecture, encoding, tracks):
        card = read_card(DATA / name)
        assert card.network.architecture == architecture
        assert (card.encoding.length, card.encoding.k, card.encoding.stride) == encoding
        assert card.tasks == ("CTCF",)
        assert card.negative_method == "given"
        assert (card.gkm is not None) == tracks
        assert card.digests.dtype == np.uint64
        # 72 records to train and validate on; both FASTA files are random but for the site
        assert len(card.digests) == 72
        assert card.digests[:2].tolist() == [96163984595843678, 147503571949947101]
        assert card.training["n_train"] == 64

    def test_of_an_ensemble(self):
        card = read_card(DATA / "model-1.3-ensemble.keras")
        assert [member.network.architecture for member in card.networks().values()] == ["conv-bigru"] * 2
        assert list(card.networks()) == ["members/1/", "members/2/"]
        assert len(card.digests) == 72

    def test_of_a_background(self):
        card = read_background_card(DATA / "model-1.1-background.keras")
        assert (card.cell, card.units, card.layers) == ("gru", 3, 1)

    @pytest.mark.parametrize("version", ["1.1", "1.2"])
    def test_of_rates(self, version):
        card = read_rate_card(DATA / f"model-{version}-rates.keras")
        assert (card.network.cell, card.network.units, card.network.layers) == ("gru", 8, 1)
        assert card.seen.highest[0] == pytest.approx(np.log(6), rel=1e-3)
        assert card.calibration.lower[0] < 0
        assert card.training["settings"][0]["seed"] == 1

    def test_of_relernn(self):
        card = load_rate_model(DATA / "model-1.1-relernn.keras", threads=1).card
        assert (card.units, card.window, card.sample) == (2, 10_000, Sample(6, 1))
