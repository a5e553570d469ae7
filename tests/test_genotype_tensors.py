import h5py
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotype_tensors import open_regions, packed, unpacked, write_regions
from tfbind.genotypes.simulation import Region


def region(name="sim1", n=10, sites=5, *, missing=False):
    rng = np.random.default_rng(n)
    haplotypes = rng.integers(0, 2, (sites, n)).astype(np.int8)
    if missing and sites:
        haplotypes[0, :2] = -1
    return Region(
        id=name,
        length=1000,
        position=np.arange(sites, dtype=np.int32) * 7,
        haplotypes=haplotypes,
        ploidy=2,
        phased=not missing,
        mutation_rate=1.25e-8,
        diversity=5e-4,
        rate_start=np.array([0, 400]),
        rate=np.array([1e-8, 3e-7]),
        parameters={"demography": "growth", "times": [0.0, 1.5]},
    )


REGIONS = [
    region("a"),
    region("b", n=3, missing=True),
    region("none", n=8, sites=0),
    region("c", n=17, sites=40),
]


@pytest.fixture
def path(tmp_path):
    with write_regions(tmp_path / "sims.h5", source=[], setting={"seed": 3}) as writer:
        for each in REGIONS:
            writer.append(packed(each))
    return tmp_path / "sims.h5"


def assert_same(found, expected):
    for name in ("position", "haplotypes", "rate_start", "rate"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)
    for name in ("id", "length", "ploidy", "phased", "mutation_rate", "diversity", "parameters"):
        assert getattr(found, name) == getattr(expected, name), name


@pytest.mark.parametrize("each", REGIONS, ids=lambda each: each.id)
def test_packing_and_back(each):
    assert_same(unpacked(packed(each)), each)


def test_the_first_haplotype_is_the_highest_bit():
    each = region(n=10, sites=1)
    each.haplotypes[0] = [1, 0, 0, 0, 0, 0, 0, 1, 0, 1]
    assert packed(each)["haplotypes"].tolist() == [0b10000001, 0b01000000]


class TestFile:
    def test_regions_come_back(self, path):
        with open_regions(path) as regions:
            assert len(regions) == 4
            for index in (3, 0, 2, 1):
                assert_same(regions.region(index), REGIONS[index])
            assert regions.rows["haplotypes_n"].tolist() == [10, 3, 8, 17]

    def test_follows_the_specification(self, path):
        with h5py.File(path) as file:
            attributes = dict(file.attrs)
            assert attributes.pop("created_by").startswith("tfbind ")
            assert attributes == {
                "format": "tfbind-tensors",
                "format_version": "1.0",
                "kind": "genotypes",
                "source": "[]",
                "setting": '{"seed": 3}',
            }
            assert file["site_offset"][:].tolist() == [0, 5, 10, 10, 50]
            assert file["haplotypes_offset"][:].tolist() == [0, 10, 15, 15, 135]
            assert file["missing_offset"][:].tolist() == [0, 0, 5, 5, 5]
            assert file["rate_offset"][:].tolist() == [0, 2, 4, 6, 8]
            assert {dataset.compression for dataset in file.values()} == {"gzip"}

    def test_more_sets_are_passed_over(self, path):
        with h5py.File(path, "a") as file:
            file["more"] = np.zeros((2, 2))
        with open_regions(path) as regions:
            assert len(regions) == 4


class TestRefusal:
    @pytest.mark.parametrize(
        ("damage", "message"),
        [
            (lambda f: f.attrs.update(format="x"), r"found format 'x', expected .*'tfbind-tensors'"),
            (
                lambda f: f.attrs.update(format_version="2.0"),
                r"found tensors format '2\.0', made by tfbind \S+; tfbind \S+ reads 1\.0: update tfbind, or make the"
                " file again with tfbind recombination simulate$",
            ),
            (lambda f: f.attrs.update(format_version="1.1"), r"found tensors format '1\.1'"),
            (
                lambda f: f.attrs.update(kind="dna"),
                "found kind 'dna', expected kind 'genotypes', as tfbind recombination simulate writes it",
            ),
            (
                lambda f: f.attrs.pop("setting"),
                r"found no attribute 'setting', expected the attributes that docs/format\.md lists",
            ),
            (
                lambda f: f.pop("rate"),
                r"found no one-dimensional data set 'rate', expected the data sets that docs/format\.md lists",
            ),
            (lambda f: f["ploidy"].resize(3, axis=0), "found ploidy with 3 values, expected 4"),
            (lambda f: f["site_offset"].resize(4, axis=0), "found site_offset with 4 values, expected 5"),
            (lambda f: f["position"].resize(49, axis=0), "found site_offset that does not end with position"),
            (
                lambda f: f["haplotypes_n"].write_direct(np.full(4, 9, np.int32)),
                "found haplotypes of another size",
            ),
        ],
    )
    def test_of_what_breaks_the_specification(self, path, damage, message):
        with h5py.File(path, "a") as file:
            damage(file)
        with pytest.raises(TfbindError, match=f"sims.h5: {message}"), open_regions(path):
            pass

    def test_of_another_type(self, path):
        with h5py.File(path, "a") as file:
            del file["length"]
            file["length"] = np.zeros(4, np.float32)
        with (
            pytest.raises(TfbindError, match="found length of type float32, expected int64"),
            open_regions(path),
        ):
            pass

    def test_of_no_hdf5(self, tmp_path):
        (tmp_path / "x.h5").write_text("x")
        with pytest.raises(TfbindError, match="is not a readable HDF5 file"), open_regions(tmp_path / "x.h5"):
            pass

    def test_of_nothing(self, tmp_path):
        with pytest.raises(TfbindError, match="no such file"), open_regions(tmp_path / "x.h5"):
            pass
