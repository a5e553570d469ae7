from dataclasses import replace

import numpy as np
import pytest

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.packed import PackedCalls
from tfbind.recombination.checks import pseudo_haploid
from tfbind.recombination.checks.pseudo_haploid import NearLinkage, near_linkage, warn_of_pseudo_haploids


@pytest.fixture(scope="module")
def haplotypes(simulate):
    """Sixty haplotypes on 1 Mb."""
    return simulate(60, 1e6, seed=4, ploidy=1)


@pytest.fixture(scope="module")
def mixed(haplotypes):
    """Thirty pseudo-haploid samples, of a random allele each of two haplotypes."""
    first = np.random.default_rng(1).random((len(haplotypes.calls), 30)) < 0.5
    calls = np.where(first, haplotypes.calls[:, ::2], haplotypes.calls[:, 1::2])
    varies = (calls.sum(axis=1) > 0) & (calls.sum(axis=1) < 30)
    return Genotypes(
        "1", haplotypes.positions[varies], np.ascontiguousarray(calls[varies]), 1, 0, haplotypes.end
    )


def test_haplotypes_have_nearly_all_linkage(haplotypes, caplog):
    found = near_linkage(haplotypes)
    assert found.extrapolated > 0.9
    assert warn_of_pseudo_haploids(haplotypes, "v") == ""
    assert caplog.text == ""


def test_pseudo_haploids_have_a_quarter(mixed, caplog):
    found = near_linkage(mixed)
    assert 0.2 < found.extrapolated < 0.35
    assert warn_of_pseudo_haploids(mixed, "v.vcf: contig 1") == "pseudo_haploid_suspected"
    assert f"between sites 100 to 200 bp apart is {found.near:.2f} of the largest possible" in caplog.text


@pytest.mark.parametrize("at_once", [1, 100])
def test_portions_of_sites_do_not_matter(mixed, monkeypatch, at_once):
    packed = replace(mixed, calls=PackedCalls.of(mixed.calls))
    whole = near_linkage(mixed)
    for most_sites in (pseudo_haploid.MOST_SITES, 200):
        monkeypatch.setattr(pseudo_haploid, "MOST_SITES", most_sites)
        whole = near_linkage(mixed)
        with monkeypatch.context() as some:
            some.setattr(pseudo_haploid, "SITES_AT_ONCE", at_once)
            assert near_linkage(packed) == whole


def test_missing_calls_do_not_matter(mixed, haplotypes):
    for genotypes, is_pseudo in ((mixed, True), (haplotypes, False)):
        calls = genotypes.calls.copy()
        calls[np.random.default_rng(2).random(calls.shape) < 0.3] = -1
        assert near_linkage(replace(genotypes, calls=calls)).is_pseudo_haploid is is_pseudo


def test_nothing_is_said_of_diploids_few_samples_or_few_pairs(simulate, mixed, haplotypes):
    assert near_linkage(simulate(10, 1e6, seed=4)) is None
    assert near_linkage(simulate(10, 1e6, seed=4, phased=False)) is None
    few = replace(haplotypes, calls=np.ascontiguousarray(haplotypes.calls[:, :9]))
    assert near_linkage(few) is None
    assert near_linkage(replace(mixed, positions=mixed.positions[:60], calls=mixed.calls[:60])) is None


def test_a_pair_of_sites_by_hand():
    """Alleles 1100110011 and 1100110000: D is .4 - .6 x .4 = .16, chance .0576 / 9, the largest .4 x .4."""
    one, other = [1, 1, 0, 0, 1, 1, 0, 0, 1, 1], [1, 1, 0, 0, 1, 1, 0, 0, 0, 0]
    calls = np.array([one, other] * 220, np.int8)
    positions = np.cumsum(np.tile([150, 1000, 300, 1000], 110)).astype(np.int64)
    found = near_linkage(Genotypes("1", positions, calls, 1, 0, 10_000_000))
    assert found.pairs == (109, 110)
    assert found.near == pytest.approx((0.16**2 - 0.0576 / 9) / 0.16**2)


@pytest.mark.parametrize(
    ("near", "far", "is_pseudo"),
    [(0.25, 0.24, True), (0.25, 0.18, False), (0.1, 0.1, False), (0.5, 0.49, False), (0.9, 0.8, False)],
)
def test_what_is_suspected(near, far, is_pseudo):
    assert NearLinkage((100, 200, 400), (500, 500), near, far).is_pseudo_haploid is is_pseudo
