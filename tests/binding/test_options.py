from tfbind.binding.options import (
    DEFAULT_ARCHITECTURE,
    DEFAULT_KMER_ARCHITECTURE,
    LEARNING_RATES,
    default_architecture,
    peak_rate,
)
from tfbind.networks.spec import ARCHITECTURES
from tfbind.training.options import FitOptions


def test_the_default_architecture_suits_the_encoding():
    assert {DEFAULT_ARCHITECTURE, DEFAULT_KMER_ARCHITECTURE} <= set(ARCHITECTURES)
    assert default_architecture(None) == "gkm-bilstm"
    assert default_architecture(5) == "conv-bilstm"


def test_the_rate_asked_for_or_the_architectures_own():
    assert peak_rate(FitOptions(), "conv-bigru") == 0.02
    assert peak_rate(FitOptions(), "danq") == 0.003
    assert peak_rate(FitOptions(learning_rate=0.5), "danq") == 0.5


def test_rates_are_of_architectures_that_there_are():
    assert set(LEARNING_RATES) <= set(ARCHITECTURES)
