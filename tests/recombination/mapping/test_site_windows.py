"""Windows of raw sites."""

from dataclasses import replace

import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.prior import Prior
from tfbind.genotypes.simulation import Setting, simulate_region
from tfbind.recombination.learning.simulations import write_simulations
from tfbind.recombination.mapping.site_windows import (
    KnownWindows,
    Sample,
    SiteWindow,
    WindowExamples,
    cut_windows,
    read_windows,
    region_windows,
    stack_windows,
)

SETTING = Setting(prior=Prior().changed({"diversity": 1e-3}), length=25_000, samples=3, perfect=True)


def genotypes(calls, ploidy=1):
    return Genotypes("c", np.array([5, 10, 29]), np.array(calls, np.int8), ploidy, 0, 40)


class TestCutting:
    def test_the_rarer_allele_is_1_and_missing_calls_are_0(self):
        found = cut_windows(genotypes([[0, 0, 1], [1, 1, 0], [1, -1, 0]]), np.array([0, 10]), 20)
        assert [window.alleles.tolist() for window in found] == [
            [[-1, -1, 1], [-1, -1, 1]],
            [[-1, -1, 1], [1, 0, -1]],
        ]
        assert found[0].places.tolist() == [0.25, 0.5]
        np.testing.assert_allclose(found[1].places, [0, 0.95])

    def test_unphased_samples_have_the_mean_of_their_alleles(self):
        (found,) = cut_windows(genotypes([[0, 1, 0], [2, 1, 2], [0, -1, 1]], ploidy=2), np.array([0]), 40)
        assert found.alleles.tolist() == [[-1, 0, -1], [-1, 0, -1], [-1, 0, 0]]

    def test_the_rate_of_a_window_is_its_mean_over_the_mutation_rate(self):
        region = simulate_region(SETTING, 1, 0)
        region = replace(region, rate_start=np.array([0, 5_000]), rate=np.array([1e-8, 3e-8]))
        found = region_windows(region, 10_000)
        np.testing.assert_allclose(found.rate * region.mutation_rate, [2e-8, 3e-8])
        assert len(found.windows) == 2


class TestStacking:
    def test_padding(self):
        one = SiteWindow(np.ones((1, 2), np.int8), np.array([0.5], np.float32))
        none = SiteWindow(np.ones((0, 2), np.int8), np.array([], np.float32))
        alleles, places, valid_length = stack_windows([one, none], 3)
        assert alleles.tolist() == [[[1, 1]], [[0, 0]]]
        assert places.tolist() == [[0.5, 0, 0], [0, 0, 0]]
        assert valid_length.tolist() == [1, 0]

    def test_what_is_too_much_is_thinned_evenly(self):
        window = SiteWindow(np.arange(9, dtype=np.int8)[:, None], np.arange(9, dtype=np.float32))
        alleles, places, valid_length = stack_windows([window], 3)
        assert places.tolist() == [[0, 4, 8]]
        assert alleles.ravel().tolist() == [0, 4, 8]
        assert valid_length.tolist() == [3]


class TestExamples:
    def windows(self, n):
        return [SiteWindow(np.array([[0, 1, 2]], np.int8), np.array([i], np.float32)) for i in range(n)]

    def test_an_epoch_holds_every_window_once_and_columns_in_any_order(self):
        known = KnownWindows(self.windows(7), np.arange(7.0))
        data = WindowExamples([known], [known], sites=1, seed=0)
        batches = list(data.batches(0, 4))
        places = np.concatenate([batch.inputs[1].ravel() for batch in batches])
        y = np.concatenate([batch.y.ravel() for batch in batches])
        assert sorted(places) == list(range(7))
        np.testing.assert_allclose(y * data.target.sd + data.target.mean, places, rtol=1e-5)
        orders = {tuple(row) for batch in batches for row in batch.inputs[0][:, 0].tolist()}
        assert len(orders) > 1
        assert {tuple(sorted(order)) for order in orders} == {(0, 1, 2)}
        again = np.concatenate([batch.inputs[1].ravel() for batch in data.batches(0, 4)])
        np.testing.assert_array_equal(places, again)

    def test_validation_is_left_as_it_is(self):
        known = KnownWindows(self.windows(5), np.ones(5))
        (batch,) = WindowExamples([known], [known], sites=1, seed=0).validation(8)
        assert batch.inputs[0][:, 0].tolist() == [[0, 1, 2]] * 5
        # rates that are all the same have no spread to divide by
        assert batch.y.tolist() == [[0]] * 5


class TestFiles:
    def written(self, path, setting=SETTING, seed=0):
        write_simulations(setting, path, replicates=2, seed=seed)
        return path

    def test_windows_of_a_file(self, tmp_path):
        found, sample, width = read_windows([self.written(tmp_path / "a.h5")], 10_000)
        assert [len(region.windows) for region in found] == [2, 2]
        assert (sample, width) == (Sample(6, 1), 10_000)

    def test_whole_regions(self, tmp_path):
        found, _, width = read_windows([self.written(tmp_path / "a.h5")], None)
        assert [len(region.windows) for region in found] == [1, 1]
        assert width == 25_000

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            (
                {"samples": 4},
                r"b.h5: found region sim1 with 8 haplotypes, expected 6 haplotypes as in the first",
            ),
            (
                {"perfect": False, "prior": Prior().changed({"unphased": 1, "chip": 0})},
                r"b.h5: found region sim1 with 3 unphased diploids, expected 6 haplotypes",
            ),
            (
                {"length": 9_000},
                r"b.h5: found region sim1 of 9,000 bp, expected at least the 10,000 of a window",
            ),
        ],
    )
    def test_regions_that_do_not_fit_are_refused(self, changes, message, tmp_path):
        files = [
            self.written(tmp_path / "a.h5"),
            self.written(tmp_path / "b.h5", replace(SETTING, **changes), 1),
        ]
        with pytest.raises(TfbindError, match=message):
            read_windows(files, 10_000)
