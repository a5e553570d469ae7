import h5py
import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.genotype_tensors import open_regions, packed, unpacked, write_regions
from tfbind.genotypes.simulation import Region


def region(name="sim1", n=10, sites=5, *, missing=False):
    rng = np.random.default_rng(n)
    haplotypes = rng.integers(0, 2, (sites, n)).astype(np.int8)
    haplotypes[:, -2:] = [0, 1]
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
    region("b", n=6, missing=True),
    region("none", n=8, sites=0),
    region("c", n=18, sites=40),
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
            assert regions.rows["haplotypes_n"].tolist() == [10, 6, 8, 18]

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
                r"found no data set 'rate', expected the data sets that docs/format\.md lists",
            ),
            (
                lambda f: f["ploidy"].resize(3, axis=0),
                r"found ploidy of shape \(3,\) .*, expected \(4,\) uint8",
            ),
            (
                lambda f: f["site_offset"].resize(4, axis=0),
                r"found site_offset of shape \(4,\) .*, expected \(5,\)",
            ),
            (lambda f: f["position"].resize(49, axis=0), "found site_offset that does not end with position"),
            (
                lambda f: f["haplotypes_n"].write_direct(np.full(4, 12, np.int32)),
                "found haplotypes of another size",
            ),
        ],
    )
    def test_of_what_breaks_the_specification(self, path, damage, message):
        with h5py.File(path, "a") as file:
            damage(file)
        with pytest.raises(TfbindError, match=f"sims.h5: {message}"), open_regions(path):
            pass

    @pytest.mark.parametrize(
        ("name", "value", "message"),
        [
            ("length", 0, "found length 0 of region b, expected 1 to 2147483647 bp"),
            ("length", 2**31, "found length 2147483648 of region b"),
            ("haplotypes_n", 1, "found haplotypes_n 1 of region b, expected 2 or more"),
            ("haplotypes_n", 5, "found 5 haplotypes of diploids in region b, expected an even number"),
            ("ploidy", 3, "found ploidy 3 of region b, expected 1 or 2"),
            ("phased", 2, "found phased 2 of region b, expected 0 or 1"),
            ("mutation_rate", 0.0, "found mutation_rate 0.0 of region b, expected a number above 0"),
            ("mutation_rate", np.nan, "found mutation_rate nan of region b"),
            ("diversity", np.inf, "found diversity inf of region b, expected a number from 0 to 1"),
            ("diversity", -1.0, "found diversity -1.0 of region b"),
            ("parameters", "[", "found parameters of region b that is not JSON"),
            ("parameters", "[]", r"found parameters of region b '\[\]', expected a JSON object"),
            ("parameters", '{"x": NaN}', "found parameters of region b that is not JSON of finite numbers"),
            ("parameters", '{"x": 1e999}', "found parameters of region b that is not JSON of finite numbers"),
            ("parameters", f'{{"x": {"9" * 400}}}', "found parameters of region b that is not JSON"),
            ("parameters", '{"chip_spacing": "1"}', "found chip_spacing '1' of region b, expected a number"),
        ],
    )
    def test_of_rows_out_of_range(self, path, name, value, message):
        with h5py.File(path, "a") as file:
            file[name][1] = value
        with pytest.raises(TfbindError, match=f"sims.h5: {message}"), open_regions(path):
            pass

    @pytest.mark.parametrize(
        ("setting", "message"),
        [("[1]", "a JSON object"), ("null", "a JSON object"), ('{"seed": Infinity}', "JSON")],
    )
    def test_of_a_setting_that_is_no_object(self, path, setting, message):
        with h5py.File(path, "a") as file:
            file.attrs["setting"] = setting.encode("utf-8", "surrogateescape").decode(
                "utf-8", "surrogateescape"
            )
        with pytest.raises(TfbindError, match=f"sims.h5: .*expected {message}"), open_regions(path):
            pass

    @pytest.mark.parametrize(
        ("name", "at", "value", "message"),
        [
            (
                "position",
                6,
                14,
                "found positions of region b, expected ascending ones from 0 to 999, each once",
            ),
            ("position", 6, 0, "found positions of region b"),
            ("position", 5, -1, "found positions of region b"),
            ("position", 9, 1000, "found positions of region b"),
            (
                "rate_start",
                2,
                1,
                "found rate_start of region b, expected ascending places from 0 on, below 1000",
            ),
            ("rate_start", 3, 0, "found rate_start of region b"),
            ("rate_start", 3, 1000, "found rate_start of region b"),
            ("rate", 3, np.nan, "found rates of region b, expected 0 to 0.5 per bp"),
            ("rate", 3, -1e-9, "found rates of region b"),
            ("rate", 3, np.inf, "found rates of region b"),
            ("haplotypes", 11, 0b10, "found haplotypes of region b with more than 6 bits in a site"),
            ("missing", 3, 0b1, "found missing of region b with more than 6 bits in a site"),
            ("missing", 0, 0b11111000, "found a site of region b without variation among its calls"),
            # of unphased diploids, one missing call costs the sample both
            ("missing", 0, 0b10101000, "found a site of region b without variation among its calls"),
            ("haplotypes", 11, 0, "found a site of region b without variation among its calls"),
            ("haplotypes", 11, 0b11111100, "found a site of region b without variation among its calls"),
        ],
    )
    def test_of_a_region_out_of_order(self, path, name, at, value, message):
        with h5py.File(path, "a") as file:
            if name == "missing":
                file["haplotypes"][10] = 0
            file[name][at] = value
        with open_regions(path) as regions:
            regions.region(0)
            with pytest.raises(TfbindError, match=f"sims.h5: {message}"):
                regions.region(1)

    def test_of_a_region_without_rates(self, path):
        with h5py.File(path, "a") as file:
            file["rate_offset"][1] = 0
        with open_regions(path) as regions, pytest.raises(TfbindError, match="found rate_start of region a"):
            regions.region(0)

    def test_of_calls_that_are_missing_and_1(self, path):
        with h5py.File(path, "a") as file:
            file["haplotypes"][10] = file["missing"][0] = 0b11000000
        with (
            open_regions(path) as regions,
            pytest.raises(TfbindError, match="calls of region b that are missing"),
        ):
            regions.region(1)

    def test_of_another_type(self, path):
        with h5py.File(path, "a") as file:
            del file["length"]
            file["length"] = np.zeros(4, np.float32)
        with (
            pytest.raises(
                TfbindError, match=r"found length of shape .* and type float32, expected \(4,\) int64"
            ),
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
