from types import SimpleNamespace

import numpy as np
import pytest

from tfbind.training.data import Examples
from tfbind.training.relernn import mean_squared_error, squared_error


def test_squared_error():
    assert float(squared_error(np.array([[1.0], [3.0]]), np.array([[2.0], [1.0]]))) == 2.5


@pytest.mark.parametrize(("outputs", "pearson"), [([1.0, 2.0, 3.0], 0.866025), ([2.0, 2.0, 2.0], 0.0)])
def test_validation_weighs_windows_not_batches(outputs, pearson):
    x, y = np.array(outputs, np.float32)[:, None], np.array([[0.0], [3.0], [3.0]], np.float32)
    batches = [Examples((x[:2],), y[:2]), Examples((x[2:],), y[2:])]
    data = SimpleNamespace(validation=lambda _size: iter(batches))
    found = mean_squared_error(2).validate(lambda x: x, data)
    assert found["val_loss"] == pytest.approx(np.mean((x - y) ** 2))
    assert found["val_pearson"] == pytest.approx(pearson)
