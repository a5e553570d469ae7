import subprocess
import sys

import pytest

from tfbind.training.options import EPOCHS, FitOptions


def test_patience_is_long_and_within_the_epochs():
    assert 10 <= FitOptions().patience < EPOCHS


class TestEpochs:
    @pytest.mark.parametrize(
        ("n_train", "epochs"), [(1, 40), (20_480, 40), (20_481, 39), (30_000, 27), (81_920, 10), (10**6, 10)]
    )
    def test_are_fewer_for_many_examples_where_a_fitted_model_is_the_start(self, n_train, epochs):
        assert FitOptions().most_epochs(n_train, fitted=True) == epochs
        assert FitOptions().most_epochs(n_train, fitted=False) == 40

    def test_are_those_asked_for(self):
        assert FitOptions(epochs=100).most_epochs(10**6, fitted=True) == 100
        assert FitOptions(epochs=0).most_epochs(10, fitted=False) == 0


def test_needs_nothing_but_the_standard_library():
    code = "import sys, tfbind.training.options; print({'numpy', 'keras', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_the_rate_asked_for_or_the_default():
    assert FitOptions().peak_rate == 0.02
    assert FitOptions(learning_rate=0.5).peak_rate == 0.5
