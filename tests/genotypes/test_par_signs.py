import numpy as np
import pytest

from tfbind.genotypes.packed import pack_rows, packed_bytes
from tfbind.genotypes.par_signs import warn_of_par

POSITIONS = np.arange(4000) * 100


def calls(homozygous):
    """Calls at random, homozygous where asked for, packed as a reader has them."""
    rng = np.random.default_rng(1)
    found = rng.integers(0, 2, (*homozygous.shape, 2)).astype(np.int8)
    found[..., 1] = np.where(homozygous, found[..., 0], found[..., 1])
    codes = np.empty((len(found), packed_bytes(24)), np.uint8)
    pack_rows(found.reshape(len(found), 24), codes)
    return codes


def test_males_are_heterozygous_in_the_par_alone(caplog):
    homozygous = np.zeros((4000, 12), bool)
    homozygous[1024:, :4] = True
    assert warn_of_par(calls(homozygous), 12, POSITIONS, "v.vcf: contig X") == 4
    assert "contig X: 4 of 12 samples are heterozygous near 1-102,301 and nowhere else" in caplog.text


@pytest.mark.parametrize("n_lines", [0, 4, 12])
def test_diploids_and_lines(caplog, n_lines):
    homozygous = np.zeros((4000, 12), bool)
    homozygous[:, :n_lines] = True
    assert warn_of_par(calls(homozygous), 12, POSITIONS, "v") == 0
    assert caplog.text == ""


def test_runs_of_homozygosity_differ(caplog):
    homozygous = np.zeros((4000, 12), bool)
    for sample in range(6):
        homozygous[600 * sample : 600 * sample + 1600, sample] = True
    assert warn_of_par(calls(homozygous), 12, POSITIONS, "v") == 0
    assert caplog.text == ""


def test_one_sample_or_few_sites_say_nothing():
    homozygous = np.zeros((4000, 12), bool)
    homozygous[1024:, 0] = True
    assert warn_of_par(calls(homozygous), 12, POSITIONS, "v") == 0
    homozygous[1024:, 1] = True
    assert warn_of_par(calls(homozygous)[:2000], 12, POSITIONS[:2000], "v") == 0
