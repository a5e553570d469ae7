import keras
import numpy as np
import pytest

from tfbind.binding.model.card import read_card
from tfbind.errors import TfbindError
from tfbind.inference import ENGINES, PRECISIONS, engine
from tfbind.inference.engine import start_engine
from tfbind.inference.graph import OPERATIONS
from tfbind.inference.keras_engine import KerasEngine
from tfbind.inference.openvino_engine import OpenvinoEngine


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch):
    monkeypatch.setattr(engine, "_DRIVERS", ())


@pytest.fixture(scope="module")
def saved(save_network):
    return save_network("conv-bigru", units=4, filters=6)


def test_engines_and_precisions():
    assert ENGINES == ("auto", "keras", "openvino")
    assert PRECISIONS == ("f32", "bf16")


@pytest.mark.parametrize(
    ("name", "kind"), [("auto", OpenvinoEngine), ("openvino", OpenvinoEngine), ("keras", KerasEngine)]
)
def test_each_gives_the_networks_logits_and_says_where(saved, make_inputs, name, kind):
    path, card, forward = saved
    started = start_engine(path, card.network, card.encoding.length, engine=name, threads=1)
    assert type(started) is kind
    assert started.device.startswith(("CPU (1 threads", "GPU ("))
    batches = [make_inputs(card, n) for n in (3, 40)]
    for found, inputs in zip(started.stream(batches), batches, strict=True):
        assert found.shape == (len(inputs[0]), 1)
        assert found == pytest.approx(forward(*inputs), abs=1e-5)


def test_auto_asks_tensorflow_for_a_gpu_only_where_there_is_a_driver(saved, tmp_path, monkeypatch):
    path, card, _ = saved
    monkeypatch.setattr(engine, "_DRIVERS", (tmp_path,))
    for found, kind in ((True, KerasEngine), (False, OpenvinoEngine)):
        monkeypatch.setattr("tfbind.inference.keras_engine.finds_gpu", lambda threads, found=found: found)
        assert type(start_engine(path, card.network, card.encoding.length, threads=1)) is kind


class TestFallsBackToKeras:
    @pytest.mark.parametrize("name", ["auto", "openvino"])
    def test_for_a_layer_that_has_no_counterpart(self, saved, monkeypatch, caplog, name):
        path, card, _ = saved
        monkeypatch.delitem(OPERATIONS, "GRU")
        started = start_engine(path, card.network, card.encoding.length, engine=name, threads=1)
        assert type(started) is KerasEngine
        (line,) = [record.message for record in caplog.records]
        assert (
            "OpenVINO cannot run this network (layer recurrent_1_forward is of class GRU), so Keras does"
            in line
        )

    def test_where_openvino_is_not_installed(self, saved, monkeypatch, caplog):
        path, card, _ = saved
        monkeypatch.setitem(__import__("sys").modules, "tfbind.inference.openvino_engine", None)
        assert type(start_engine(path, card.network, card.encoding.length, threads=1)) is KerasEngine
        assert len(caplog.records) == 1

    def test_where_only_the_graph_with_masks_cannot_be_compiled(self, saved, monkeypatch, caplog):
        from openvino import Core

        path, card, _ = saved
        compiled = []

        def compile_model(self, *arguments, compile=Core.compile_model):
            compiled.append(arguments)
            if len(compiled) == 2:
                raise RuntimeError("no such kernel")
            return compile(self, *arguments)

        monkeypatch.setattr(Core, "compile_model", compile_model)
        assert type(start_engine(path, card.network, card.encoding.length, threads=1)) is KerasEngine
        assert "OpenVINO cannot run this network (no such kernel), so Keras does" in caplog.text

    def test_not_for_a_fault_of_our_own(self, saved, monkeypatch):
        path, card, _ = saved
        monkeypatch.setitem(OPERATIONS, "GRU", lambda layer, sequence: layer.weights["nowhere"])
        with pytest.raises(KeyError, match="nowhere"):
            start_engine(path, card.network, card.encoding.length, threads=1)

    def test_not_for_another_network_than_the_cards(self, save_network):
        path, card, _ = save_network(
            "bigru", units=3, layer=keras.layers.Activation("softsign", name="other")
        )
        for name in ("openvino", "keras"):
            with pytest.raises(
                TfbindError, match=r"config\.json: found layers .*, expected .* as in the network"
            ):
                start_engine(path, card.network, card.encoding.length, engine=name, threads=1)

    def test_not_for_a_damaged_file(self, saved, tmp_path):
        path, card, _ = saved
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 255
        (tmp_path / "m.keras").write_bytes(content)
        with pytest.raises(TfbindError, match="damaged"):
            start_engine(tmp_path / "m.keras", card.network, card.encoding.length, threads=1)


def test_keras_says_that_it_computes_in_float32(saved, caplog):
    path, card, _ = saved
    start_engine(path, card.network, card.encoding.length, engine="keras", precision="bf16", threads=1)
    assert "Keras computes in float32" in caplog.text


def test_a_trained_model(model_path):
    card = read_card(model_path)
    codes = np.random.default_rng(1).integers(0, 5, (3, 60)).astype(np.uint8)
    valid_length = np.array([60, 30, 12], np.int32)
    codes[np.arange(60) >= valid_length[:, None]] = 4
    inputs = (card.encoding.encode(codes), valid_length)
    by_keras, by_openvino = (
        next(
            start_engine(model_path, card.network, card.encoding.length, engine=name, threads=1).stream(
                [inputs]
            )
        )
        for name in ("keras", "openvino")
    )
    assert by_openvino == pytest.approx(by_keras, abs=1e-5)
