import numpy as np
import pytest

from tfbind.recombination.checks.structure import find_groups


@pytest.mark.parametrize(
    ("samples", "ploidy", "length", "rate"),
    [
        (4, 1, 4e6, 1e-8),
        (8, 1, 4e6, 1e-8),
        (20, 1, 2e6, 1e-8),
        (20, 1, 4e6, 3e-9),
        (10, 2, 2e6, 1e-8),
        (200, 2, 2e6, 1e-8),
        (12, 2, 0.3e6, 1e-8),
    ],
)
def test_one_population_has_no_groups(simulate, samples, ploidy, length, rate):
    for seed in range(1, 5):
        assert find_groups(simulate(samples, length, seed, ploidy=ploidy, rate=rate)) is None


# generations / (generations + 2 Ne) is FST: 0.1
@pytest.mark.parametrize(("samples", "phased"), [(10, True), (10, False), (40, True)])
def test_two_populations_are_found(simulate, samples, phased):
    genotypes = simulate({"A": samples, "B": samples}, 4e6, seed=3, phased=phased, generations=2200)
    groups = find_groups(genotypes)
    assert groups is not None
    assert groups.fst == pytest.approx(0.1, abs=0.03)
    assert sorted([groups.smaller[:samples].mean(), groups.smaller[samples:].mean()]) == pytest.approx(
        [0, 1], abs=0.2
    )


def test_missing_calls_do_not_matter(simulate):
    genotypes = simulate({"A": 10, "B": 10}, 4e6, seed=3, generations=2200)
    whole = find_groups(genotypes)
    genotypes.calls[np.random.default_rng(1).random(genotypes.calls.shape) < 0.1] = -1
    assert find_groups(genotypes).fst == pytest.approx(whole.fst, abs=0.02)


def test_a_pair_of_clones_is_no_group(simulate):
    genotypes = simulate(20, 4e6, seed=4, ploidy=1)
    genotypes.calls[:, 3] = genotypes.calls[:, 11]
    assert find_groups(genotypes) is None


@pytest.mark.filterwarnings("error")
def test_samples_that_are_haploid_along_half_of_the_contig(simulate):
    genotypes = simulate({"A": 10, "B": 10}, 4e6, seed=3, generations=2200)
    genotypes.calls[len(genotypes.calls) // 2 :, 1::2] = -1
    find_groups(genotypes)
    genotypes.calls[:, 1::2] = -1
    assert find_groups(genotypes) is None
