import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.recombination.checks.noted_blocks import NotedBlocks, block_edges

BLOCKS = NotedBlocks("note", np.array([100, 200, 300, 400]), np.array([False, True, False]))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (100, 200, False),
        (100, 201, True),
        (199, 200, False),
        (200, 201, True),
        (299, 350, True),
        (300, 400, False),
    ],
)
def test_windows_that_touch_a_noted_block(start, end, expected):
    assert BLOCKS.touches(np.array([start]), np.array([end])).tolist() == [expected]


def test_a_window_over_several_blocks():
    assert BLOCKS.touches(np.array([100, 100]), np.array([400, 150])).tolist() == [True, False]
    assert BLOCKS.share == pytest.approx(1 / 3)


def test_blocks_hold_fifty_expected_differences():
    # at each site two of four chromosomes differ with probability 2/3
    n = 450
    calls = np.tile(np.array([0, 1, 0, 1], np.int8), (n, 1))
    genotypes = Genotypes("1", np.arange(n) * 100, calls, 1, 0, n * 100)
    assert block_edges(genotypes, None).tolist() == [0, 7_500, 15_000, 22_500, 30_000, 37_500, 45_000]
