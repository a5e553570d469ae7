"""Each outline is that of the network which Keras saves: layers, connections, options, weights' places and shapes."""

import io
import json
import zipfile

import h5py
import pytest

from tfbind.errors import TfbindError
from tfbind.networks.build import build
from tfbind.networks.next_base import next_base_network
from tfbind.networks.outlines import binding_outline, next_base_outline, rate_outline, relernn_outline
from tfbind.networks.rates import rate_network
from tfbind.networks.relernn import relernn_network
from tfbind.networks.spec import ARCHITECTURES, CELLS, make_spec
from tfbind.training.device import prepare
from tfbind.training.stored_network import compare_config, most_bytes

SMALL = {"units": 5, "filters": 6}
SPECS = [
    *(make_spec(name, length=31, **SMALL if ARCHITECTURES[name].get("filters") != 0 else {"units": 5})
      for name in ARCHITECTURES if name != "kegru"),
    *(make_spec("conv-bilstm", length=31, cell=cell, layers=2, n_tasks=3, **SMALL) for cell in CELLS),
    make_spec("gkm-bigru", length=32, pool=1, kernel_size=8, n_tasks=2, **SMALL),
    make_spec("conv-bilstm", length=29, vocabulary=17, k=2, embedding=3, **SMALL),
    make_spec("kegru", length=14, vocabulary=4**5 + 1, units=5, embedding=3),
]  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    """Save a network, and give its configuration and its weights."""

    def saved(network):
        network.save(tmp_path / "m.keras")
        with zipfile.ZipFile(tmp_path / "m.keras") as archive:
            return json.loads(archive.read("config.json"))["config"], archive.read("model.weights.h5")

    return saved


def check(network, outline, saved):
    config, weights = saved(network)
    compare_config("m.keras", config, outline)
    shapes = {}
    with h5py.File(io.BytesIO(weights)) as file:
        file.visititems(
            lambda name, item: shapes.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None
        )
    assert outline.weights() == shapes
    assert outline.n_parameters() == network.count_params()
    assert len(weights) < most_bytes(outline)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.architecture}-{spec.cell}-{spec.vocabulary}")
def test_of_binding(spec, saved):
    prepare(threads=1)
    check(build(spec), binding_outline(spec), saved)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layers", [1, 3])
def test_of_rates_and_of_the_next_base(cell, layers, saved):
    prepare(threads=1)
    made = {"cell": cell, "units": 4, "layers": layers}
    sizes = {"features": 7, "outputs": 6}
    check(rate_network(**sizes, **made), rate_outline(**sizes, **made), saved)
    check(next_base_network(**made), next_base_outline(**made), saved)


def test_of_relernn(saved):
    prepare(threads=1)
    made = {"columns": 6, "sites": 20, "units": 3}
    check(relernn_network(**made), relernn_outline(**made), saved)


def test_another_network_is_refused(saved):
    prepare(threads=1)
    spec = make_spec("conv-bigru", length=31, **SMALL)
    config, _ = saved(build(spec))
    made = {"length": 31, **SMALL}
    for change in (
        {"units": 4},
        {"pool": 2},
        {"length": 32},
        {"kernel_size": 18},
        {"cell": "lstm"},
        {"layers": 2},
        {"n_tasks": 2},
    ):
        outline = binding_outline(make_spec("conv-bigru", **made | change))
        with pytest.raises(TfbindError, match=r"m\.keras: config\.json: .*found .*, expected .*"):
            compare_config("m.keras", config, outline)


def test_an_outline_of_a_huge_network_takes_no_memory():
    outline = binding_outline(make_spec("danq", length=100_000, units=100_000, filters=100_000, layers=64))
    assert outline.n_parameters() > 10**11
