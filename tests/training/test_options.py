import subprocess
import sys

from tfbind.networks.spec import ARCHITECTURES
from tfbind.training.options import (
    DEFAULT_ARCHITECTURE,
    DEFAULT_KMER_ARCHITECTURE,
    LEARNING_RATES,
    FitOptions,
)


def test_default_architecture_exists():
    assert {DEFAULT_ARCHITECTURE, DEFAULT_KMER_ARCHITECTURE} <= set(ARCHITECTURES)


def test_patience_is_long_and_within_the_epochs():
    assert 10 <= FitOptions().patience < FitOptions().epochs


def test_needs_nothing_but_the_standard_library():
    code = "import sys, tfbind.training.options; print({'numpy', 'keras', 'tensorflow'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_the_rate_asked_for_or_the_architectures_own():
    assert FitOptions().peak_rate() == FitOptions().peak_rate("conv-bigru") == 0.02
    assert FitOptions().peak_rate("danq") == 0.003
    assert FitOptions(learning_rate=0.5).peak_rate("danq") == 0.5


def test_rates_are_of_architectures_that_there_are():
    assert set(LEARNING_RATES) <= set(ARCHITECTURES)
