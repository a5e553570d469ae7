from dataclasses import replace

import pytest

from tfbind.recombination.checks.sex_chromosomes import note_of_inheritance


@pytest.fixture
def genotypes(simulate):
    return simulate(4, 2e4, seed=1)


@pytest.mark.parametrize(
    ("contig", "inheritance", "words"),
    [
        (
            "chrX",
            "sex_linked",
            "3 of 4 samples are haploid. Rates are those of an average copy, which",
        ),
        ("chrX", "sex_linked", "recombines in females alone"),
        ("Z", "sex_linked", "1.5 times the rates are those of males"),
        ("X", "pseudoautosomal", "rates are the mean of both sexes"),
        ("Y", "not_recombining", "does not recombine in the usual sense"),
    ],
)
def test_what_is_said(genotypes, caplog, contig, inheritance, words):
    found = replace(genotypes, contig=contig, inheritance=inheritance, n_single=3)
    assert note_of_inheritance(found, "v.vcf: contig a") == inheritance
    assert words in caplog.text


def test_nothing_is_said_of_autosomes(genotypes, caplog):
    assert note_of_inheritance(genotypes, "v.vcf: contig 1") == ""
    assert caplog.text == ""
