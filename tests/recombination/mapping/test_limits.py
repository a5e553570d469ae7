import numpy as np
import pytest

from tfbind.recombination.mapping.limits import Signs, note_blocks
from tfbind.recombination.mapping.posterior import TokenPosterior
from tfbind.recombination.mapping.rate_model import load_rate_model

EDGES = np.array([0, 1000, 2000])


@pytest.fixture(scope="module")
def model():
    return load_rate_model(threads=1)


# the shipped network knows mean rates up to 10, and 0.8 of that is the limit; a mask hides a share of the rate
@pytest.mark.parametrize(
    ("rate", "share", "expected"), [(8.1, 1.0, True), (7.9, 1.0, False), (2.5, 0.3, True), (2.3, 0.3, False)]
)
def test_the_limit_is_that_of_the_network(model, caplog, rate, share, expected):
    tokens = TokenPosterior.from_edges(EDGES, np.full(2, rate), np.full((2, 5), 0.2))
    noted = note_blocks(Signs(EDGES, (), np.nan, share), tokens, model, "v.vcf: contig 1")
    assert [blocks.note for blocks in noted if blocks.is_noted.any()] == ["rate_at_limit"] * expected
    assert ("close to 10, the highest" in caplog.text) == expected
