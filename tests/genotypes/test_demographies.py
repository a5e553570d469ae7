from dataclasses import replace

import msprime
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes.demographies import SizeHistory, Structure, draw_history, read_demography
from tfbind.genotypes.prior import Prior, Range

CONSTANT = "time_units: generations\ndemes:\n- name: A\n  epochs:\n  - start_size: 10000\n"
TWO = """time_units: years
generation_time: 25
demes:
- name: old
  epochs: [{start_size: 1000, end_time: 5000}]
- name: A
  ancestors: [old]
  epochs: [{start_size: 2000}]
- name: B
  ancestors: [old]
  epochs: [{start_size: 500}]
"""


class TestSizeHistory:
    def test_constant(self):
        assert SizeHistory((0.0,), (1000.0,)).mean_coalescence_time() == 2000

    @pytest.mark.parametrize("name", sorted(Prior().demographies))
    def test_mean_coalescence_time_is_that_of_msprime(self, name):
        history = draw_history(np.random.default_rng(3), Prior(demographies={name: 1}))[1]
        history = history.in_generations(1e-3, 1e-8)
        model = history.to_demography().model
        expected = model.debug().mean_coalescence_time({0: 2})
        assert history.mean_coalescence_time() == pytest.approx(expected, rel=2e-3)

    def test_is_scaled_to_the_diversity(self):
        history = SizeHistory((0.0, 0.1), (1.0, 0.1)).in_generations(diversity=4e-4, mutation_rate=1e-8)
        assert 2 * 1e-8 * history.mean_coalescence_time() == pytest.approx(4e-4)
        assert history.times[1] == pytest.approx(0.1 * 2 * history.sizes[0])

    def test_tree_length_is_about_that_of_simulations(self):
        history = SizeHistory((0.0, 500.0, 2000.0), (20000.0, 1000.0, 10000.0))
        trees = msprime.sim_ancestry(
            samples=[msprime.SampleSet(50, ploidy=1)],
            demography=history.to_demography().model,
            num_replicates=300,
            random_seed=1,
        )
        mean = np.mean([tree.first().total_branch_length for tree in trees])
        assert history.mean_tree_length(50) == pytest.approx(mean, rel=0.15)


class TestStructure:
    sizes = SizeHistory((0.0, 1000.0, 3000.0), (9000.0, 2000.0, 12000.0))

    def test_with_no_share_changes_nothing(self):
        alone = self.sizes.mean_coalescence_time()
        beside = replace(self.sizes, structure=Structure(500.0, 60_000.0, 0.0, 100.0))
        assert beside.mean_coalescence_time() == pytest.approx(alone, rel=2e-3)

    def test_keeps_lineages_apart(self):
        # half of the pairs: they wait until the parting, and then 2 N generations more, as the others do at once
        history = SizeHistory((0.0,), (1000.0,), Structure(1.0, 50_000.0, 0.5, 1000.0))
        assert history.mean_coalescence_time() == pytest.approx(0.5 * 2000 + 0.5 * 52_000, rel=1e-2)

    def test_is_scaled_to_the_diversity(self):
        history = SizeHistory((0.0, 0.1), (1.0, 0.1), Structure(0.05, 1.0, 0.2, 0.5))
        scaled = history.in_generations(diversity=4e-4, mutation_rate=1e-8)
        assert 2 * 1e-8 * scaled.mean_coalescence_time() == pytest.approx(4e-4, rel=2e-3)
        n = scaled.sizes[0]
        found = scaled.structure
        assert (found.meeting, found.parting, found.share) == pytest.approx((0.1 * n, 2 * n, 0.2))
        assert found.size == pytest.approx(0.5 * n)

    def test_is_drawn_for_its_share(self):
        drawn = [draw_history(np.random.default_rng(seed), Prior())[1].structure for seed in range(200)]
        assert np.mean([found is not None for found in drawn]) == pytest.approx(Prior().structure, abs=0.08)
        assert all(found.meeting < found.parting for found in drawn if found is not None)

    def test_makes_diversity_uneven(self):
        def spread(history):
            trees = msprime.sim_ancestry(
                samples=[msprime.SampleSet(2, population="sampled", ploidy=1)],
                demography=history.to_demography().model,
                num_replicates=400,
                random_seed=1,
            )
            times = np.array([tree.first().tmrca(0, 1) for tree in trees])
            return times.std() / times.mean()

        alone = SizeHistory((0.0,), (5000.0,))
        parted = replace(alone, structure=Structure(2000.0, 80_000.0, 0.1, 5000.0))
        assert spread(parted) > 1.2 * spread(alone)


class TestDrawn:
    @pytest.mark.parametrize("name", sorted(Prior().demographies))
    def test_times_ascend_and_sizes_are_positive(self, name):
        for seed in range(20):
            found, history = draw_history(np.random.default_rng(seed), Prior(demographies={name: 1}))
            assert found == name
            assert history.times[0] == 0
            assert (np.diff(history.times) > 0).all()
            assert min(history.sizes) > 0
            assert len(history.times) == len(history.sizes)

    def test_growth_holds_a_bottleneck(self):
        history = draw_history(np.random.default_rng(0), Prior(demographies={"growth": 1}))[1]
        sizes = np.array(history.sizes)
        lowest = sizes.argmin()
        assert 0 < lowest < len(sizes) - 2
        assert (np.diff(sizes[: lowest + 1]) < 0).all()  # backwards in time
        assert sizes[-2] == 1.0 > sizes[lowest] * 2


class TestDemesFile:
    def write(self, tmp_path, text):
        path = tmp_path / "demes.yaml"
        path.write_text(text)
        return path

    def test_constant(self, tmp_path):
        found = read_demography(self.write(tmp_path, CONSTANT))
        assert found.deme == "A"
        assert found.mean_coalescence_time == pytest.approx(20_000, rel=2e-3)

    def test_years_become_generations(self, tmp_path):
        found = read_demography(self.write(tmp_path, TWO), "B")
        expected = SizeHistory((0.0, 200.0), (500.0, 1000.0)).mean_coalescence_time()
        assert found.mean_coalescence_time == pytest.approx(expected, rel=2e-3)

    @pytest.mark.parametrize(
        ("text", "deme", "message"),
        [
            (TWO, None, "found 2 demes at present, expected --deme with one of A, B"),
            (TWO, "old", "found no deme 'old' at present, expected --deme with one of A, B"),
            ("demes: 3\n", None, "not a demographic model"),
            ("{", None, "is not YAML"),
            ("a: &a [1]\nb: *a\n", None, r"line 2: found the alias \*a, expected every value written out"),
            ("[" * 100_000, None, "line 1: is nested deeper than 50 levels"),
            # twice the size is beyond float64
            (
                "time_units: generations\ndemes: [{name: A, epochs: [{start_size: 1e308, end_time: 0}]}]\n",
                None,
                "the mean coalescence time in deme 'A' has no value",
            ),
        ],
    )
    def test_wrong(self, tmp_path, text, deme, message):
        with pytest.raises(TfbindError, match=f"demes.yaml: .*{message}"):
            read_demography(self.write(tmp_path, text), deme)

    def test_absent(self, tmp_path):
        with pytest.raises(TfbindError, match=r"none\.yaml: no such file"):
            read_demography(tmp_path / "none.yaml")


class TestDrawnByHand:
    @staticmethod
    def draw(name, **rows):
        fixed = {row: Range(value, value) for row, value in rows.items()}
        prior = Prior(demographies={name: 1}, structure=0, **fixed)
        return draw_history(np.random.default_rng(0), prior)[1]

    def test_growth(self):
        # growth by 20 from half of the bottleneck on, in 24 steps that are finer towards the present
        history = self.draw(
            "growth",
            growth_bottleneck_time=0.2,
            growth_bottleneck_size=0.1,
            growth_start=0.5,
            growth_start_size=0.8,
            growth_factor=20,
            growth_acceleration=1,
            growth_ancient_time=0.3,
            growth_ancient_size=0.6,
        )
        step = np.arange(25)
        assert history.times == pytest.approx([*(0.1 * (step[:24] / 24) ** 2), 0.1, 0.2, 0.5])
        # each step has the size at its middle
        middle = ((step[:-1] / 24) ** 2 + (step[1:] / 24) ** 2) / 2
        assert history.sizes == pytest.approx([*(0.08 * 20 ** (1 - middle)), 0.1, 1, 0.6])

    def test_a_random_walk_changes_from_0_002_to_3_evenly_in_logarithms(self):
        history = self.draw("random_walk", walk_epochs=6, walk_step=0.1)
        assert history.times[:2] == (0, pytest.approx(0.002))
        assert history.times[5] == pytest.approx(3)
        assert np.diff(np.log(history.times[1:])) == pytest.approx([np.log(1_500) / 4] * 4)

    def test_a_random_walk_stays_within_a_factor_of_30(self):
        sizes = self.draw("random_walk", walk_epochs=40, walk_step=10).sizes
        assert min(sizes) == pytest.approx(1 / 30)
        assert max(sizes) == pytest.approx(30)
