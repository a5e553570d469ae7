import numpy as np
import pytest

from tfbind.inference.ensemble import EnsembleEngine


class Engine:
    """Adds a number to the sum of each row of ``x``, and reads one batch ahead."""

    def __init__(self, number, device="CPU (1 threads)"):
        self.number, self.device = number, device
        self.seen, self.closed = [], 0

    def stream(self, batches):
        waiting = []
        try:
            for inputs in batches:
                self.seen.append(inputs[0])
                waiting.append(inputs[0].sum(axis=1, keepdims=True) + self.number)
                if len(waiting) > 1:
                    yield waiting.pop(0)
            yield from waiting
        finally:
            self.closed += 1


def batches(n):
    """Batches of different sizes, whose second input differs from network to network."""
    for size in range(1, n + 1):
        x = np.arange(2 * size, dtype=np.float32).reshape(size, 2)
        yield [(x, np.zeros(size)), (x, np.ones(size))]


class TestStream:
    def test_gives_every_networks_logits_in_order(self):
        engines = [Engine(0), Engine(10)]
        found = list(EnsembleEngine(engines).stream(batches(3)))
        assert [each.shape for each in found] == [(2, 1, 1), (2, 2, 1), (2, 3, 1)]
        assert found[2][:, :, 0].tolist() == [[1, 5, 9], [11, 15, 19]]

    def test_the_batches_are_made_once(self):
        engines = [Engine(0), Engine(10)]
        list(EnsembleEngine(engines).stream(batches(3)))
        assert len(engines[0].seen) == 3
        assert all(one is other for one, other in zip(*(engine.seen for engine in engines), strict=True))

    def test_every_stream_is_closed_when_the_caller_stops(self):
        engines = [Engine(0), Engine(10)]
        stream = EnsembleEngine(engines).stream(batches(5))
        next(stream)
        stream.close()
        assert [engine.closed for engine in engines] == [1, 1]

    def test_an_error_of_the_input_reaches_the_caller(self):
        def broken():
            yield from batches(2)
            raise ValueError("no base")

        engines = [Engine(0), Engine(10)]
        with pytest.raises(ValueError, match="no base"):
            list(EnsembleEngine(engines).stream(broken()))
        assert [engine.closed for engine in engines] == [1, 1]


def test_says_once_what_it_runs_on():
    assert EnsembleEngine([Engine(0), Engine(1)]).device == "CPU (1 threads)"
    assert EnsembleEngine([Engine(0), Engine(1, "GPU")]).device == "CPU (1 threads), GPU"
    assert EnsembleEngine([Engine(0), Engine(1)]).name == "Engine"
