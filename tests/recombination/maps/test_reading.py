import numpy as np
import pytest

from tfbind.errors import TfbindError
from tfbind.recombination.maps.reading import missing_zeros, read_map_file, read_truth
from tfbind.steps import StepFunction

HAPMAP = "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n1\t1\t1\t0\n1\t101\t2\t0.0001\n1\t301\t0\t0.0005\n"
PER_MUTATION = "# rates are r/mu (no mutation rate was given)\n"
OWN = "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\n1\t0\t100\t5\t1e-8\tNA\tNA\t\n"


def read(tmp_path, *texts, unit=None):
    paths = [tmp_path / f"{number}.txt" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text)
    return read_truth(paths, unit)


class TestUnits:
    def test_hapmap(self, tmp_path):
        truth = read(tmp_path, HAPMAP)
        assert truth.rates["1"].start.tolist() == [0, 100]
        assert truth.rates["1"].end.tolist() == [100, 300]
        np.testing.assert_allclose(truth.rates["1"].values, [1e-8, 2e-8])
        assert truth.notes[0].endswith(
            "0.txt: format hapmap, rates in cM/Mb, as in every hapmap file; each rate is of the interval after its"
            " row, as its cumulative column shows"
        )
        assert not truth.per_mutation

    @pytest.mark.parametrize(
        ("text", "rate", "note"),
        [
            ("1 0 100 2.5\n", 2.5e-8, "cM/Mb, guessed from their median of 2.5"),
            ("1 0 100 2.5e-8\n", 2.5e-8, "per-bp, guessed from their median of 2.5e-08"),
            (
                "chrom start end rate_cM_per_Mb\n1 0 100 2e-5\n",
                2e-13,
                "cM/Mb, as its column rate_cM_per_Mb says",
            ),
            (OWN, 1e-8, "per-bp, as in every table of tfbind"),
        ],
    )
    def test_are_found_out_and_told(self, text, rate, note, tmp_path, caplog):
        caplog.set_level("INFO")
        truth = read(tmp_path, text)
        np.testing.assert_allclose(truth.rates["1"].values, [rate])
        assert f"rates in {note}" in caplog.text

    @pytest.mark.parametrize(
        ("text", "rate"),
        [
            ("1 0 100 2\n", 2.0),
            ("chrom start end cMperMb\n1 0 100 2\n", 2e-8),
            (HAPMAP, [1e-8, 2e-8]),
            (OWN, 1e-8),
        ],
    )
    def test_one_for_what_the_file_does_not_tell(self, text, rate, tmp_path):
        (tmp_path / "map").write_text(text)
        table, *_ = read_map_file(tmp_path / "map", unit_if_unstated="per-bp")
        np.testing.assert_allclose(table["rate"], rate)

    @pytest.mark.parametrize(("unit", "rate"), [("cM/Mb", 2e-8), ("per-bp", 2.0)])
    def test_given(self, unit, rate, tmp_path):
        truth = read(tmp_path, "1 0 100 2\n", unit=unit)
        assert truth.rates["1"].values.tolist() == [rate]
        assert truth.notes[0].endswith(f"{unit}, as given")

    @pytest.mark.parametrize(
        "text",
        [
            PER_MUTATION + "1\t0\t100\t2.5\n",
            "track type=bedGraph\r\n# more\r\n" + PER_MUTATION.replace("\n", "\r\n") + "1 0 100 2.5\r\n",
            PER_MUTATION + "chrom,start,end,rate_cM_per_Mb\n1,0,100,2.5\n",
            PER_MUTATION + OWN.replace("1e-8", "2.5"),
            "# made by hand\n" + PER_MUTATION + OWN.replace("1e-8", "2.5"),
        ],
    )
    def test_per_mutation_is_told_by_its_line_in_every_format(self, text, tmp_path):
        truth = read(tmp_path, text)
        assert truth.per_mutation
        assert truth.rates["1"].values.tolist() == [2.5]
        assert "its rates are r/mu, as its line '# rates are r/mu" in truth.notes[0]

    def test_a_hapmap_file_of_r_over_mu_is_refused(self, tmp_path):
        with pytest.raises(
            TfbindError, match=r"found 'rates are r/mu .* above a genetic map, which is in cM"
        ):
            read(tmp_path, PER_MUTATION + HAPMAP)

    def test_a_unit_that_is_given_against_it(self, tmp_path):
        own = PER_MUTATION + OWN
        with pytest.raises(
            TfbindError, match=r"0.txt: found 'rates are r/mu .*expected rates in the unit cM/Mb"
        ):
            read(tmp_path, own, unit="cM/Mb")
        with pytest.raises(TfbindError, match=r"1.txt: found r/mu and rates per bp in one set of files"):
            read(tmp_path, "2 0 100 2\n", own)


class TestSeveralFiles:
    def test_are_taken_together(self, tmp_path):
        assert list(read(tmp_path, HAPMAP, "2 0 100 2\n").rates) == ["1", "2"]

    def test_that_share_a_contig(self, tmp_path):
        with pytest.raises(TfbindError, match=r"1.txt: found contig '1' again, expected each in one file"):
            read(tmp_path, HAPMAP, "1 0 100 2\n")


class TestZeros:
    def test_at_the_ends_are_missing_and_told(self, tmp_path):
        truth = read(tmp_path, "1 0 100 0\n1 100 200 2\n1 200 300 0\n1 300 400 2\n1 400 450 0\n")
        np.testing.assert_allclose(truth.rates["1"].values, [np.nan, 2e-8, 0, 2e-8, np.nan])
        assert truth.notes[1].endswith("150 bp of contig 1 at rate 0 are taken for missing data")

    @pytest.mark.parametrize(
        ("rate", "missing"),
        [
            ([1, 0, 0, 1], [0, 1, 1, 0]),  # 1 Mb
            ([1, 0, 1, 1], [0, 0, 0, 0]),
            ([1, 0, np.nan, 1], [0, 1, 0, 0]),
            ([np.nan, 0, 1, 1], [0, 1, 0, 0]),
            ([0, 0, 0, 0], [1, 1, 1, 1]),
            ([1, 1, 1, 1], [0, 0, 0, 0]),
        ],
    )
    def test_in_a_long_stretch(self, rate, missing):
        edges = np.arange(5) * 500_000
        found = missing_zeros(StepFunction(edges, rate))
        assert found.astype(int).tolist() == missing

    @pytest.mark.parametrize(("length", "missing"), [(999_999, 0), (1_000_000, 1)])
    def test_a_megabase_inside_is_missing(self, length, missing):
        edges = np.array([0, 100, 100 + length, 200 + length])
        found = missing_zeros(StepFunction(edges, [1.0, 0, 1]))
        assert found.astype(int).tolist() == [0, missing, 0]


@pytest.mark.parametrize(("median", "unit"), [("0.9e-6", "per-bp"), ("1.1e-3", "cM/Mb")])
def test_the_median_decides_on_the_unit(median, unit, tmp_path):
    # zeros do not count in the median
    text = f"1 0 100 1e-9\n1 100 200 {median}\n1 200 300 5e-3\n" + "".join(
        f"1 {at} {at + 100} 0\n" for at in range(300, 1_000, 100)
    )
    assert f"rates in {unit}, guessed" in read(tmp_path, text).notes[0]


@pytest.mark.parametrize("median", ["1.1e-6", "0.9e-3"])
def test_a_median_that_could_be_several_units_is_refused(median, tmp_path):
    with pytest.raises(TfbindError, match=r"0.txt: the unit of its rates is not stated, and a median of"):
        read(tmp_path, f"1 0 100 {median}\n")


RHO = {
    "ldhelmet": "# parameters\nversion 1.10\n# left_snp right_snp mean p0.025 p0.500 p0.975\n"
    "11 21 2e-3 0 0 0\n21 31 4e-3 0 0 0\n",
    "ldhat": "Loci\tMean_rho\tMedian\tL95\tU95\n-1.000\t.06\t0\t0\t0\n0.011\t2\t0\t0\t0\n0.021\t4\t0\t0\t0\n",
    "fasteprr": "Start End Rho CIL CIR\n11 20 0.02 0 1\n21 30 0.04 0 1\n",
    "ismc": "chrom\tchromStart\tchromEnd\tdiploid_1\tsample_mean\nchr1\t10\t20\t2e-3\t2e-3\nchr1\t20\t30\t4e-3\t4e-3\n",
    "windows": "chrom\tstart\tend\trho_per_bp\nchr1\t10\t20\t2e-3\nchr1\t20\t30\t4e-3\n",
}
SITES = "3 0.030 L\n0.011\n0.021\n0.031\n"


class TestPopulationScaled:
    @pytest.mark.parametrize("form", RHO)
    def test_rates_are_rho_per_bp(self, form, tmp_path):
        (tmp_path / "map").write_text(RHO[form])
        (tmp_path / "sites").write_text(SITES)
        found = read_map_file(tmp_path / "map", sites=tmp_path / "sites")
        assert (found.form, found.scale) == (form, "rho")
        assert found.table["start"].tolist() == [10, 20]
        assert found.table["end"].tolist() == [20, 30]
        np.testing.assert_allclose(found.table["rate"], [2e-3, 4e-3])

    @pytest.mark.parametrize("form", ["ldhelmet", "fasteprr"])
    def test_a_first_position_of_0_is_the_first_base(self, form, tmp_path):
        text = RHO[form].replace("11 21 ", "0 21 ").replace("11 20 ", "0 20 ")
        (tmp_path / "map").write_text(text)
        assert read_map_file(tmp_path / "map").table["start"].tolist() == [0, 20]

    def test_without_positions_the_last_interval_of_ldhat_is_left_out(self, tmp_path):
        (tmp_path / "map").write_text(RHO["ldhat"])
        assert read_map_file(tmp_path / "map").table["end"].tolist() == [20]

    def test_samples_of_ldhat_are_averaged_without_the_first_tenth(self, tmp_path):
        samples = "10 3\n9 99 99\n" + "6 1 3\n6 3 5\n6 2 4\n" * 3
        (tmp_path / "map").write_text(samples)
        (tmp_path / "sites").write_text(SITES)
        found = read_map_file(tmp_path / "map", sites=tmp_path / "sites")
        assert found.form == "ldhat-rates"
        np.testing.assert_allclose(found.table["rate"], [2e-3, 4e-3])
        with pytest.raises(
            TfbindError, match="map: has no positions; give LDhat's file of sites as --positions"
        ):
            read_map_file(tmp_path / "map")

    def test_a_truth_must_be_converted_first(self, tmp_path):
        with pytest.raises(
            TfbindError, match=r"population-scaled \(4 Ne r\). Convert it first: tfbind recombination"
        ):
            read(tmp_path, RHO["ismc"])


def test_an_unknown_format_is_told_what_is_known(tmp_path):
    with pytest.raises(
        TfbindError, match=r"0.txt: found the columns 'a b c', expected one of .*gmap \(pos chr cM\)"
    ):
        read(tmp_path, "a b c\n1 2 3\n")


@pytest.mark.parametrize("form", ["plink", "ldhat", "eagle"])
def test_a_format_that_is_given_must_fit(form, tmp_path):
    (tmp_path / "map").write_text("chrom start end rate\n1 0 10 1\n")
    with pytest.raises(TfbindError, match=r"found the columns 'chrom start end rate', expected"):
        read_map_file(tmp_path / "map", form=form)
