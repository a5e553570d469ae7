import numpy as np
import pytest

from tfbind.genotypes import packed
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
        found = PackedCalls.of(calls)
        assert (found.shape, found.size, len(found)) == (calls.shape, calls.size, 9)
        np.testing.assert_array_equal(found, calls)
        assert np.asarray(found).dtype == np.int8

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


class TestDealing:
    GROUPS = (np.array([10, 0, 3]), np.array([1, 2, 4, 5, 6]), np.array([7, 8, 9]))

    @pytest.mark.parametrize("sites", [slice(None), slice(5, None, 2), [8, 2, 2, 0, 5], slice(0, 0)])
    @pytest.mark.parametrize("at_once", [1, 3, 16_384])
    def test_groups_of_columns_have_memory_of_their_own(self, monkeypatch, sites, at_once):
        monkeypatch.setattr(packed, "SITES_DEALT_AT_ONCE", at_once)
        calls = calls_of(11)
        given = PackedCalls.of(calls)
        dealt = given[sites].deal(self.GROUPS)
        for group, part in zip(self.GROUPS, dealt, strict=True):
            np.testing.assert_array_equal(part, calls[sites][:, group])
        dealt[0].let_go()
        np.testing.assert_array_equal(dealt[1], calls[sites][:, self.GROUPS[1]])
        with pytest.raises(RuntimeError, match="let go"):
            np.asarray(given)

    def test_memory_is_given_back_as_sites_are_moved(self, monkeypatch):
        monkeypatch.setattr(packed, "SITES_DEALT_AT_ONCE", 4)
        codes = np.zeros((9, 3), np.uint8)
        left = []
        real = packed._choose_columns
        monkeypatch.setattr(packed, "_choose_columns", lambda *a: (left.append(len(codes)), real(*a)))
        # the third row from the end is needed until the last site is moved
        PackedCalls(codes, 11)[np.array([6, 0, 1, 2, 3, 4, 5, 7, 8])].deal(self.GROUPS[:1])
        assert (left, len(codes)) == ([9, 7, 7], 0)

    def test_memory_of_others_is_left_alone(self):
        calls, codes = calls_of(11), np.empty((9, 3), np.uint8)
        pack_rows(calls, codes)
        (part,) = PackedCalls(codes[:], 11).deal(self.GROUPS[:1])
        np.testing.assert_array_equal(part, calls[:, self.GROUPS[0]])
        np.testing.assert_array_equal(PackedCalls(codes, 11), calls)


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
    whole = PackedCalls.of(calls_of(5))
    part, copied = whole[2:][:3], whole.columns(np.arange(5))
    part.let_go()
    for each in (whole, part):
        assert each.shape[1] == 5
        with pytest.raises(RuntimeError, match="let go"):
            np.asarray(each)
    assert np.asarray(copied).shape == (9, 5)
