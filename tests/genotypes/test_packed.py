import numpy as np
import pytest

from tfbind.genotypes.bits import pack
from tfbind.genotypes.calls import ABSENT, UNPHASED, unpack_pairs
from tfbind.genotypes.packed import PackedCalls, pack_rows, packed_bytes

RNG = np.random.default_rng(3)


def calls_of(n_columns, n_sites=9):
    return RNG.integers(-1, 3, (n_sites, n_columns)).astype(np.int8)


@pytest.mark.parametrize("n_columns", [0, 1, 3, 4, 5, 131])
class TestPackedCalls:
    def test_what_is_packed_is_unpacked(self, n_columns):
        calls = calls_of(n_columns)
        packed = PackedCalls.of(calls)
        assert (packed.shape, packed.size, len(packed)) == (calls.shape, calls.size, 9)
        np.testing.assert_array_equal(packed, calls)
        assert np.asarray(packed).dtype == np.int8

    def test_sums_leave_out_what_is_unknown_and_what_fills_the_last_byte(self, n_columns):
        calls = calls_of(n_columns)
        ones, known = PackedCalls.of(calls).sums()
        np.testing.assert_array_equal(ones, np.maximum(calls, 0).sum(axis=1))
        np.testing.assert_array_equal(known, (calls >= 0).sum(axis=1))

    @pytest.mark.parametrize("sites", [slice(2, 7), [4, 4, 0], np.arange(9) % 3 == 1])
    def test_sites_are_chosen_as_from_an_array_and_again_from_those(self, n_columns, sites):
        calls = calls_of(n_columns)
        chosen = PackedCalls.of(calls)[sites]
        np.testing.assert_array_equal(chosen, calls[sites])
        np.testing.assert_array_equal(chosen[1:], calls[sites][1:])
        np.testing.assert_array_equal(chosen.sums()[0], np.maximum(calls[sites], 0).sum(axis=1))
        np.testing.assert_array_equal(pack(chosen), pack(calls[sites]))


def test_columns_are_chosen_of_the_sites_that_are_left():
    calls = calls_of(11)
    which = np.array([10, 0, 3, 4, 7])
    np.testing.assert_array_equal(PackedCalls.of(calls)[5:].columns(which), calls[5:, which])


def test_memory_that_is_wider_than_the_columns_does_not_count():
    calls, codes = calls_of(5), np.zeros((9, 7), np.uint8)
    pack_rows(calls, codes)
    np.testing.assert_array_equal(PackedCalls(codes, 5), calls)
    np.testing.assert_array_equal(PackedCalls(codes, 5).sums()[1], (calls >= 0).sum(axis=1))


def test_a_call_takes_two_bits():
    assert [packed_bytes(n) for n in (0, 1, 4, 5, 6_000)] == [0, 1, 1, 2, 1_500]


def test_numbers_of_sites_beyond_one_portion_are_packed_into_bits():
    calls = calls_of(3, 2_500)
    np.testing.assert_array_equal(pack(PackedCalls.of(calls)), pack(calls))


def test_a_view_is_not_promised():
    with pytest.raises(ValueError, match="copy"):
        np.array(PackedCalls.of(calls_of(3)), copy=False)


def test_every_genotype_survives_packing():
    first, second = (0, 1, -1, UNPHASED), (0, 1, -1, ABSENT)
    pairs = np.array([[(a, b) for a in first for b in second]], np.int8)
    codes = np.empty((1, packed_bytes(2 * 16)), np.uint8)
    pack_rows(pairs.reshape(1, -1), codes)
    np.testing.assert_array_equal(unpack_pairs(codes, 16), pairs)


def test_what_shares_the_memory_lets_it_go_together():
    packed = PackedCalls.of(calls_of(5))
    part, copied = packed[2:][:3], packed.columns(np.arange(5))
    part.let_go()
    for each in (packed, part):
        assert each.shape[1] == 5
        with pytest.raises(RuntimeError, match="let go"):
            np.asarray(each)
    assert np.asarray(copied).shape == (9, 5)
