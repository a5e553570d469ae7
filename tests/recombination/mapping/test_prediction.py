import gzip
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tfbind.errors import TfbindError
from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.mask import Accessible, Mask, read_mask
from tfbind.genotypes.packed import PackedCalls
from tfbind.genotypes.ploidy import Ploidies
from tfbind.genotypes.vcf_writing import write_vcf
from tfbind.recombination.mapping.prediction import map_contig, predict_map
from tfbind.recombination.mapping.rate_model import load_rate_model


@pytest.fixture(scope="module")
def found(simulate):
    """Six diploids on 400 kb."""
    return simulate(6, 4e5, seed=3)


@pytest.fixture(scope="module")
def region(simulate):
    """Twenty diploids on 500 kb."""
    return simulate(20, 5e5, seed=2)


def lines_of(genotypes, contig, folder):
    """A VCF's header and records."""
    path = folder / "packed.vcf.gz"
    write_vcf(path, contig, genotypes.end, genotypes.positions, genotypes.calls, ploidy=2, phased=True)
    lines = gzip.decompress(path.read_bytes()).decode().splitlines(True)
    return [line for line in lines if line[0] == "#"], [line for line in lines if line[0] != "#"]


@pytest.fixture
def vcf(found, tmp_path):
    header, records = lines_of(found, "c1", tmp_path)
    path = tmp_path / "a.vcf"
    path.write_text("".join(header + records))
    return path


def append(path, *records):
    with open(path, "a") as handle:
        handle.writelines(record + "\n" for record in records)


def rows(table):
    return table[["chrom", "start", "end", "n_sites", "note"]].to_numpy().tolist()


class TestTable:
    def test_rates_are_per_mutation_without_its_rate(self, vcf, stand_in):
        table = predict_map(vcf, stand_in(), [100_000]).table
        assert list(table)[-1] == "note"
        assert table["start"].tolist()[1:] == [100_000, 200_000, 300_000]
        np.testing.assert_allclose(table["rate"], 1)

    def test_the_mutation_rate_is_a_factor(self, vcf, stand_in):
        one = predict_map(vcf, stand_in(), [100_000]).table
        table = predict_map(vcf, stand_in(), [100_000], mutation_rate=2e-8).table
        for column in ("rate", "rate_lower", "rate_upper"):
            np.testing.assert_allclose(table[column], one[column] * 2e-8)

    def test_several_resolutions_have_a_column(self, found, vcf, stand_in):
        table = predict_map(vcf, stand_in(), [50_000, 200_000]).table
        assert table["scale"].tolist() == [50_000] * 8 + [200_000] * 2
        assert table["n_sites"][:8].sum() == table["n_sites"][8:].sum() == len(found.positions)

    def test_a_mask_leaves_rows_without_rates(self, vcf, stand_in, tmp_path):
        (tmp_path / "m.bed").write_text("c1\t0\t200000\nc1\t310000\t500000\n")
        table = predict_map(vcf, stand_in(), [100_000], mask=read_mask(tmp_path / "m.bed")).table
        assert table["note"].tolist() == ["", "", "masked", ""]
        assert table["rate"].isna().tolist() == [False, False, True, False]


class TestMaskOfOtherContigs:
    def test_names_match_but_for_chr(self, vcf, stand_in, tmp_path):
        (tmp_path / "m.bed").write_text("chrc1\t0\t200000\nchrc1\t310000\t500000\n")
        table = predict_map(vcf, stand_in(), [100_000], mask=read_mask(tmp_path / "m.bed")).table
        assert table["note"].tolist() == ["", "", "masked", ""]

    def test_roman_numerals_of_the_header(self, found, stand_in, tmp_path, caplog):
        header, records = lines_of(found, "V", tmp_path)
        path = tmp_path / "a.vcf"
        path.write_text("".join([header[0], "##contig=<ID=IV>\n", *header[1:], *records]))
        (tmp_path / "m.bed").write_text("5\t0\t200000\n5\t310000\t500000\n")
        with caplog.at_level(logging.INFO):
            table = predict_map(path, stand_in(), [100_000], mask=read_mask(tmp_path / "m.bed")).table
        assert table["note"].tolist() == ["", "", "masked", ""]
        assert any(message.endswith("match under different names: V = 5") for message in caplog.messages)

    def test_none_in_common(self, vcf, stand_in, tmp_path):
        (tmp_path / "m.bed").write_text("2\t0\t200000\n3\t0\t5\n")
        message = r"a\.vcf: 1 of 1 contigs \('c1'\) are not in .*m\.bed \(its contigs: '2', '3'\)"
        with pytest.raises(TfbindError, match=message):
            predict_map(vcf, stand_in(), [100_000], mask=read_mask(tmp_path / "m.bed"))

    def test_one_that_it_lacks_is_masked_and_named(self, found, vcf, stand_in, tmp_path, caplog):
        append(vcf, *(line.rstrip("\n") for line in lines_of(found, "c2", tmp_path)[1]))
        (tmp_path / "m.bed").write_text("c1\t0\t500000\n")
        table = predict_map(vcf, stand_in(), [1_000_000], mask=read_mask(tmp_path / "m.bed")).table
        assert table["note"].tolist() == ["", "masked"]
        (message,) = (r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)
        assert (
            message
            == f"{tmp_path / 'm.bed'}: has no intervals on 'c2', which is masked wholly: its rates are NA"
        )


class TestGaps:
    """A region, and its sites once more 10 Mb behind it, read by the network that tfbind ships."""

    @staticmethod
    def mean_rate(genotypes, mask=None):
        given = None if mask is None else Mask(Path("m.bed"), {"1": mask})
        table = map_contig(genotypes, load_rate_model(), "a.vcf", given).table(25_000).dropna(subset=["rate"])
        width = table["end"] - table["start"]
        return float((table["rate"] * width).sum() / width.sum())

    @pytest.mark.parametrize("masked", [False, True], ids=["without a mask", "with a mask"])
    def test_do_not_lower_the_rates_beside_them(self, region, masked):
        far = 10_500_000
        twice = replace(
            region,
            positions=np.concatenate([region.positions, region.positions + far]),
            calls=np.concatenate([region.calls, region.calls]),
            end=far + region.end,
        )
        mask = Accessible(np.array([0, far]), np.array([region.end, far + region.end])) if masked else None
        assert self.mean_rate(twice, mask) == pytest.approx(self.mean_rate(region), rel=0.15)

    def test_in_front_of_a_stray_record_neither(self, region):
        stray = replace(
            region,
            positions=np.append(region.positions, 10_000_000),
            calls=np.concatenate([region.calls, region.calls[:1]]),
            end=10_000_001,
        )
        assert self.mean_rate(stray) == pytest.approx(self.mean_rate(region), rel=0.15)

    def test_a_mask_in_many_pieces_leaves_the_scale(self, region):
        starts = np.arange(0, region.end, 400)
        assert self.mean_rate(region, Accessible(starts, starts + 300)) == pytest.approx(
            self.mean_rate(region), rel=0.2
        )

    def test_are_told(self, vcf, found, stand_in, caplog):
        caplog.set_level(logging.INFO)
        call = "\t".join(["0|1"] * 6)
        append(vcf, f"c1\t9000001\t.\tA\tC\t.\tPASS\t.\tGT\t{call}")
        table = predict_map(vcf, stand_in(), [100_000]).table
        assert "contig c1: 8,5" in caplog.text
        assert (
            " bp in 1 stretch without a site, too long for chance, are taken for inaccessible" in caplog.text
        )
        assert "sites in 0.4" in caplog.text
        assert set(table["note"][5:89]) == {"no_sites"}


def test_short_data_without_a_sign_of_recombination_are_warned_about(simulate, stand_in, caplog):
    genotypes = simulate(30, 1e5, seed=1, ploidy=1, rate=0)
    assert map_contig(genotypes, stand_in(), "a.vcf: contig M").table(100_000)["rate"].notna().all()
    assert "a.vcf: contig M: no sign of any recombination (0 of " in caplog.text


class TestContigs:
    def test_one_without_sites_enough_does_not_stop_the_rest(self, vcf, stand_in, caplog):
        call = "\t".join(["0|1"] * 6)
        append(vcf, f"c2\t150\t.\tA\tC\t.\tPASS\t.\tGT\t{call}", f"c2\t2500\t.\tA\tC\t.\tPASS\t.\tGT\t{call}")
        table = predict_map(vcf, stand_in(), [1_000_000]).table
        assert table["chrom"].tolist() == ["c1", "c2"]
        assert rows(table)[1] == ["c2", 149, 2_500, 2, "too_few_sites"]
        assert np.isnan(table["rate"][1])
        assert "contig c2: found 2 sites whose rarer allele was seen 2 times or more" in caplog.text

    def test_too_few_samples(self, vcf, stand_in, tmp_path, caplog):
        (tmp_path / "one.txt").write_text("s1\n")
        table = predict_map(vcf, stand_in(), [1_000_000], samples=tmp_path / "one.txt").table
        assert table["note"].tolist() == ["too_few_samples"]
        assert "contig c1: found 2 chromosomes, expected at least 4" in caplog.text

    def test_no_record_at_all(self, vcf, stand_in):
        text = vcf.read_text()
        vcf.write_text("".join(line for line in text.splitlines(True) if line.startswith("#")))
        with pytest.raises(TfbindError, match=r"a\.vcf: has no records, expected the genotypes"):
            predict_map(vcf, stand_in(), [1_000])

    def test_clones_have_no_rates(self, simulate, stand_in, caplog):
        clones = simulate(10, 2e6, seed=3, ploidy=1, rate=0)
        table = map_contig(clones, stand_in(), "a.vcf: contig 1").table(1_000_000)
        assert table["note"].tolist() == ["clonal", "clonal"]
        assert table["rate"].isna().all()
        assert "a.vcf: contig 1: found hardly any recombination" in caplog.text

    def test_structure_is_said_once(self, simulate, stand_in, caplog):
        genotypes = simulate({"A": 12, "B": 12}, 4e6, seed=1, generations=6000)
        told = set()
        for contig in ("1", "2"):
            map_contig(replace(genotypes, contig=contig), stand_in(), f"contig {contig}", told=told)
        assert [record.getMessage()[:38] for record in caplog.records] == [
            "contig 1: the samples fall into groups"
        ]

    def test_relatives_are_told_of_all_contigs_at_the_end(self, simulate, stand_in, tmp_path, caplog):
        text = []
        for contig in ("1", "2"):
            genotypes = simulate(6, 4e6, seed=int(contig))
            genotypes.calls[:, 4:6] = genotypes.calls[:, 0:2]
            header, records = lines_of(genotypes, contig, tmp_path)
            text += records if text else header + records
        (tmp_path / "a.vcf").write_text("".join(text))
        predict_map(tmp_path / "a.vcf", stand_in(), [1_000_000])
        (message,) = (r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)
        assert message.startswith(f"{tmp_path / 'a.vcf'}: 1 pair of samples have the same genotypes")


def test_data_unlike_training_are_noted_and_said(found, stand_in, caplog):
    table = map_contig(found, stand_in(unlike="2.5 times as far; most in log_n"), "a.vcf: contig 1").table(
        200_000
    )
    assert table["note"].tolist() == ["outside_training"] * 2
    assert table["rate"].notna().all()
    assert (
        "a.vcf: contig 1: the data lie outside what the network has learnt from (2.5 times as far"
        in caplog.text
    )
    assert "most in log_n" in caplog.text


def test_pseudo_haploids_are_noted(simulate, stand_in, caplog):
    found = simulate(60, 1e6, seed=4, ploidy=1)
    first = np.random.default_rng(1).random((len(found.calls), 30)) < 0.5
    mixed = np.where(first, found.calls[:, ::2], found.calls[:, 1::2])
    varies = (mixed.sum(axis=1) > 0) & (mixed.sum(axis=1) < 30)
    mixed = Genotypes("1", found.positions[varies], np.ascontiguousarray(mixed[varies]), 1, 0, found.end)
    assert map_contig(mixed, stand_in(unlike="n"), "v").note == "outside_training,pseudo_haploid_suspected"
    assert map_contig(found, stand_in(), "v").note == ""


class TestRegionsOfAContig:
    """Six diploids on 400 kb of an X; the first 200 kb are the PAR."""

    @pytest.fixture
    def vcf_of_x(self, found, tmp_path):
        header, records = lines_of(found, "X", tmp_path)
        (tmp_path / "x.vcf").write_text("".join(header + records))
        (tmp_path / "par.bed").write_text("chrX\t0\t210000\n")
        return tmp_path / "x.vcf"

    def test_rows_follow_each_other_and_say_what_they_are(self, found, vcf_of_x, stand_in, tmp_path):
        par = read_mask(tmp_path / "par.bed")
        predicted = predict_map(vcf_of_x, stand_in(), [100_000], ploidies=Ploidies(par=par)).table
        start, end, n_sites = found.positions[0], found.positions[-1] + 1, predicted["n_sites"]
        assert n_sites.sum() == len(found.positions)
        edges = [start, 100_000, 200_000, 210_000, 300_000, end]
        assert predicted["start"].tolist() == edges[:-1]
        assert predicted["end"].tolist() == edges[1:]
        # six samples may lack heterozygous genotypes by chance, which is noted, too
        first = predicted["note"].str.split(",").str[0]
        assert first.tolist() == ["pseudoautosomal"] * 3 + ["sex_linked"] * 2

    def test_a_contig_without_rates_says_what_it_is(self, simulate, stand_in):
        few = replace(simulate(1, 1e5, seed=1), contig="Y", inheritance="not_recombining")
        assert map_contig(few, stand_in(), "v").note == "too_few_samples,not_recombining"

    def test_a_factor_for_inbreeding_is_of_each_region(self, vcf_of_x, stand_in, tmp_path):
        ploidies = Ploidies(par=read_mask(tmp_path / "par.bed"))
        table = predict_map(vcf_of_x, stand_in(), [100_000], ploidies=ploidies, inbreeding=0.5).table
        np.testing.assert_allclose(table["rate"], 2)


def test_hotspots_are_in_the_unit_of_the_map(vcf, stand_in):
    model = stand_in(hot=[(200_000, 204_000)])
    (spot,) = predict_map(vcf, model, [25_000], hotspot_factor=5).hotspots
    assert spot.contig == "c1"
    assert spot.start <= 200_000 < 204_000 <= spot.end
    (other,) = predict_map(vcf, model, [25_000], mutation_rate=2e-8, hotspot_factor=5).hotspots
    assert other.rate == pytest.approx(spot.rate * 2e-8)
    assert (other.factor, other.probability) == (spot.factor, spot.probability)
    assert predict_map(vcf, model, [25_000]).hotspots == []


def test_calls_are_let_go_if_the_caller_says_so(found):
    packed = replace(found, calls=PackedCalls.of(found.calls))
    model = load_rate_model()
    kept = map_contig(packed, model, "contig 1").table(100_000)
    pd.testing.assert_frame_equal(
        map_contig(packed, model, "contig 1", keep_calls=False).table(100_000), kept
    )
    with pytest.raises(RuntimeError, match="let go"):
        np.asarray(packed.calls)


def test_says_what_was_used(vcf, stand_in, caplog):
    caplog.set_level(logging.INFO)
    predict_map(vcf, stand_in(), [25_000], mutation_rate=1e-8)
    assert "contig c1: 6 samples (12 chromosomes, haploid or phased), " in caplog.text
    assert "mean rate 1 (" in caplog.text
    assert caplog.text.rstrip().endswith("cM/Mb")


def test_more_samples_than_the_network_knows_are_read_in_groups(simulate, tmp_path, caplog):
    crowd = simulate(520, 3e5, seed=1, ploidy=1)
    write_vcf(tmp_path / "a.vcf.gz", "1", crowd.end, crowd.positions, crowd.calls, ploidy=1, phased=True)
    caplog.set_level(logging.INFO)
    found = predict_map(tmp_path / "a.vcf.gz", load_rate_model(), [100_000]).table
    assert "contig 1: 520 chromosomes are read in 2 groups, whose rates are averaged" in caplog.text
    assert "outside" not in caplog.text
    assert (found["note"] == "").all()
    halves = []
    for first in (0, 1):
        columns = crowd.calls[:, first::2]
        varies = columns.any(1) & ~columns.all(1)
        path = tmp_path / f"{first}.vcf.gz"
        write_vcf(path, "1", crowd.end, crowd.positions[varies], columns[varies], ploidy=1, phased=True)
        halves.append(predict_map(path, load_rate_model(), [100_000]).table["rate"])
    # the halves alone begin with their own first sites
    np.testing.assert_allclose(found["rate"], np.mean(halves, axis=0), rtol=0.01)


def test_a_few_more_samples_than_in_training_are_read_whole(simulate, caplog):
    crowd = simulate(420, 1e5, seed=1, ploidy=1)
    caplog.set_level(logging.INFO)
    load_rate_model().read(crowd)
    assert "groups" not in caplog.text


def test_the_shipped_network_has_seen_400_chromosomes():
    assert load_rate_model().most_samples == 400


@pytest.mark.parametrize(
    ("n_chromosomes", "n_common", "note"),
    [(3, 30, "too_few_samples"), (4, 30, ""), (4, 19, "too_few_sites"), (4, 20, "")],
)
def test_four_chromosomes_and_twenty_common_sites_are_needed(stand_in, n_chromosomes, n_common, note):
    # common sites, between them as many whose rarer allele was seen once
    calls = np.zeros((60, n_chromosomes), np.int8)
    calls[:, 0] = 1
    calls[: 2 * n_common : 2, -1] = 1
    genotypes = Genotypes("1", np.arange(60) * 100, calls, 1, 0, 6_000).recounted()
    found = map_contig(genotypes, stand_in(), "contig 1")
    assert found.note == note
    assert (found.tokens is None) == bool(note)
