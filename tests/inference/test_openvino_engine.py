import threading

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from tfbind.inference.openvino_engine import PORTION, ROWS_AHEAD, OpenvinoEngine
from tfbind.networks.outlines import binding_outline
from tfbind.networks.spec import ARCHITECTURES, CELLS
from tfbind.training.stored_network import read_network

KMERS = {"k": 3, "stride": 2}
SMALL = {"units": 8, "filters": 12}
CASES = [
    *((name, KMERS if name == "kegru" else SMALL) for name in ARCHITECTURES),
    *(("conv-bilstm", {"cell": cell, "layers": 2, "n_tasks": 3, **SMALL}) for cell in CELLS),
    ("gkm-bigru", {"n_tasks": 3, "filters": 0, "pool": 1, "units": 5}),
    ("gkm-linear", {"n_tasks": 3}),
    ("gkm-bilstm", {"n_tasks": 2, "pool": 5, "kernel_size": 4, **SMALL}),
    ("bilstm", {"k": 3, "stride": 3, "cell": "rnn"}),
    ("conv-bigru", {"k": 2, "stride": 1, **SMALL}),
    ("danq", {"cell": "gru", "n_tasks": 2, "pool": 7, **SMALL}),
    ("kegru", {"cell": "lstm", "n_tasks": 2, **KMERS}),
    ("transformer", {"pool": 1, "n_tasks": 2, "units": 16, "filters": 7}),
    ("transformer", {"k": 3, "stride": 1, "units": 8}),
]


@pytest.fixture(scope="module")
def saved(save_network):
    return save_network("gkm-bilstm", n_tasks=2, **SMALL)


def started(path, card, **options):
    network = read_network(path, binding_outline(card.network))
    return OpenvinoEngine(network, card.network, card.encoding.length, **options)


def logits(engine, *batches):
    return list(engine.stream(batches))


class TestEqualsKeras:
    @pytest.mark.parametrize(("architecture", "values"), CASES, ids=str)
    def test_in_every_architecture(self, save_network, make_inputs, architecture, values):
        path, card, forward = save_network(architecture, **values)
        engine = started(path, card, threads=1)
        for inputs in (make_inputs(card, 2 * PORTION + 6), make_inputs(card, 7, padded=False)):
            expected = forward(*inputs)
            assert np.ptp(expected) > 0.01
            (found,) = logits(engine, inputs)
            assert found.dtype == np.float32
            assert found == pytest.approx(expected, abs=1e-5, rel=1e-5)

    @pytest.mark.parametrize("stride", [1, 7])
    @pytest.mark.parametrize("architecture", ["conv-bilstm", "gkm-bilstm"])
    def test_in_windows_that_overlap(self, save_network, architecture, stride):
        path, card, forward = save_network(architecture, **SMALL)
        rng = np.random.default_rng(5)
        length = card.encoding.length
        record = rng.integers(0, 5, 40 * stride + length).astype(np.uint8)
        record[20:90] = 0
        inputs = [card.encoding.encode(sliding_window_view(record, length)[::stride].copy())]
        inputs.append(np.full(len(inputs[0]), length, np.int32))
        if card.network.tracks:
            track = rng.normal(0, 0.3, len(record)).astype(np.float32)
            tracks = sliding_window_view(track, length)[::stride].copy()
            # each window has its own near its ends
            tracks[:, :2] += 0.1
            tracks[:, -3:] -= 0.1
            inputs.append(tracks[:, :, None])
        engine = started(path, card, threads=1)
        (found,) = logits(engine, tuple(inputs))
        assert found == pytest.approx(forward(*inputs), abs=1e-5, rel=1e-5)
        alone = logits(
            engine, *(tuple(values[row : row + 1] for values in inputs) for row in range(len(found)))
        )
        assert np.array_equal(np.concatenate(alone), found)

    def test_to_three_digits_in_bfloat16(self, saved, make_inputs):
        path, card, forward = saved
        inputs = make_inputs(card, 50)
        (found,) = logits(
            started(
                path,
                card,
                precision="bf16",
                threads=1,
            ),
            inputs,
        )
        expected = forward(*inputs)
        assert found == pytest.approx(expected, abs=0.05 * float(np.ptp(expected)))


class TestStream:
    def test_keeps_the_order_of_batches_of_any_size(self, saved, make_inputs):
        path, card, forward = saved
        batches = [make_inputs(card, n) for n in (3, 0, 100, 1, 2500, 40)]
        found = logits(
            started(
                path,
                card,
                threads=2,
            ),
            *batches,
        )
        assert [len(batch) for batch in found] == [3, 0, 100, 1, 2500, 40]
        for some, inputs in zip(found, batches, strict=True):
            assert some == pytest.approx(forward(*inputs) if len(some) else some, abs=1e-5)

    @pytest.mark.parametrize("threads", [1, 2])
    def test_a_sequences_logits_are_the_same_bits_in_any_company(self, saved, make_inputs, threads):
        path, card, _ = saved
        engine = started(
            path,
            card,
            threads=threads,
        )
        inputs = make_inputs(card, 150)
        (together,) = logits(engine, inputs)
        rows = np.random.default_rng(1).permutation(150)
        (otherwise,) = logits(engine, tuple(values[rows] for values in inputs))
        assert np.array_equal(otherwise, together[rows])
        alone = logits(engine, *(tuple(values[row : row + 1] for values in inputs) for row in range(150)))
        assert np.array_equal(np.concatenate(alone), together)

    def test_reads_ahead_but_not_everything(self, saved, make_inputs, monkeypatch):
        path, card, _ = saved
        inputs = make_inputs(card, PORTION, padded=False)
        engine = started(path, card, threads=1)
        compute, several_taken = engine._compute, threading.Event()
        taken = []

        def wait_and_compute(*arguments):
            several_taken.wait(timeout=30)
            compute(*arguments)

        def batches():
            for number in range(200):
                taken.append(number)
                if number == 3:
                    several_taken.set()
                yield inputs

        monkeypatch.setattr(engine, "_compute", wait_and_compute)
        next(engine.stream(batches()))
        assert 3 < len(taken) <= ROWS_AHEAD // PORTION + 1

    def test_can_be_left_and_begun_anew(self, saved, make_inputs):
        path, card, _ = saved
        engine = started(path, card, threads=2)
        inputs = make_inputs(card, 3 * PORTION)
        first = next(engine.stream([inputs] * 20))
        assert np.array_equal(logits(engine, inputs)[0], first)

    def test_of_nothing(self, saved):
        path, card, _ = saved
        assert (
            logits(
                started(
                    path,
                    card,
                    threads=1,
                )
            )
            == []
        )


def test_a_processor_without_bfloat16_goes_on_in_float32(saved, make_inputs, monkeypatch, caplog):
    import openvino as ov

    path, card, forward = saved
    monkeypatch.setattr(ov.Core, "get_property", lambda *_: ["FP32"])
    engine = started(
        path,
        card,
        precision="bf16",
        threads=1,
    )
    assert [record.message for record in caplog.records] == [
        "this processor has no bfloat16 instructions: computing in float32"
    ]
    assert engine.device == "CPU (1 threads, OpenVINO)"
    inputs = make_inputs(card, 5)
    assert logits(engine, inputs)[0] == pytest.approx(forward(*inputs), abs=1e-5)
