import numpy as np
import pytest

from tfbind.contigs import Contigs
from tfbind.errors import TfbindError
from tfbind.genotypes.mask import read_mask
from tfbind.genotypes.ploidy import LAST_POSITION, Ploidies, read_ploidies
from tfbind.genotypes.vcf import read_genotypes

NAMES = ["ann", "bob", "cid"]
TABLE = "# sexes\nX 1 300 M 1\nX 701 900 M 1\nY 1 * F 0\nY\t1\t*\tM\t1\nann F\nbob M\ncid M\n"


@pytest.fixture
def table(tmp_path):
    def read(text):
        path = tmp_path / "p.txt"
        path.write_text(text)
        return read_ploidies(path)

    return read


def stated(ploidies, contig):
    return [(part.start, part.end, part.stated.tolist()) for part in ploidies.regions(contig, NAMES)]


class TestRegions:
    def test_nothing_stated_is_one_region(self):
        assert stated(Ploidies(), "X") == [(0, LAST_POSITION, [-1, -1, -1])]

    def test_a_contig_is_cut_where_a_ploidy_changes(self, table):
        found = stated(Ploidies(table(TABLE)), "chrX")
        assert found == [
            (0, 300, [2, 1, 1]),
            (300, 700, [2, 2, 2]),
            (700, 900, [2, 1, 1]),
            (900, LAST_POSITION, [2, 2, 2]),
        ]

    def test_a_ploidy_of_0(self, table):
        assert stated(Ploidies(table(TABLE)), "Y") == [(0, LAST_POSITION, [0, 1, 1])]

    def test_other_contigs_are_not_stated(self, table):
        assert stated(Ploidies(table(TABLE)), "1") == [(0, LAST_POSITION, [-1, -1, -1])]

    def test_contigs_go_before_all_and_samples_before_sexes(self, table):
        ploidies = Ploidies(table("* * * * 1\n* * * ann 2\nX * * M 2\nX * * cid 1\nbob M\ncid M\n"))
        assert stated(ploidies, "1") == [(0, LAST_POSITION, [2, 1, 1])]
        assert stated(ploidies, "X") == [(0, LAST_POSITION, [2, 2, 1])]

    def test_all_are_diploid_in_the_par(self, table, tmp_path):
        (tmp_path / "par.bed").write_text("X\t0\t100\n")
        both = Ploidies(table(TABLE), read_mask(tmp_path / "par.bed"))
        assert stated(both, "X")[:2] == [(0, 100, [2, 2, 2]), (100, 300, [2, 1, 1])]
        assert [part.is_par for part in both.regions("X", NAMES)] == [True, False, False, False, False]
        assert stated(Ploidies(par=both.par), "X") == [
            (0, 100, [2, 2, 2]),
            (100, LAST_POSITION, [-1, -1, -1]),
        ]


def test_samples_may_have_names_of_lines_for_genome_browsers(table):
    found = table("X 1 * M 1\ntrack M\nbrowser\tM\ntrack 1 9 track 0\n#ann M\n")
    assert found.sexes == {"track": "M", "browser": "M"}
    assert found.stated("X", ["track", "browser", "ann"], 0, 5).tolist() == [1, 1, 2]
    assert found.stated("track", ["track", "browser", "ann"], 0, 5).tolist() == [0, 2, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("X 1 2 M\n", "line 1: found 4 columns, expected five"),
        ("X 0 2 M 1\n", "line 1: found FROM '0', expected a position of at least 1, or \\*"),
        ("X 1 b M 1\n", "line 1: found TO 'b', expected a position"),
        ("X 5 4 M 1\n", r"line 1: TO \(4\) must be at least FROM \(5\)"),
        ("X 1 2 M 4\n", "line 1: found a ploidy of 4, expected 0, 1 or 2; maps of polyploids cannot be made"),
        ("X 1 2 M two\n", "line 1: found the ploidy 'two', expected 0, 1 or 2"),
        ("bob M\nbob F\n", "line 2: found the sex 'F' of 'bob', which is 'M' on line 1"),
        ("bob M\n", "has no ploidies"),
    ],
)
def test_what_is_refused(table, text, message):
    with pytest.raises(TfbindError, match=message):
        table(text)


def test_two_ploidies_at_one_place(table):
    ploidies = Ploidies(table("X 1 300 bob 1\nX 200 400 bob 2\n"))
    with pytest.raises(TfbindError, match="line 2: found a ploidy of 2 where line 1 says 1, expected one"):
        ploidies.regions("X", NAMES)


class TestNamesThatAreNotThere:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("X 1 2 bop 1\n", "line 1: found 'bop', expected a sample of v.vcf"),
            ("X 1 2 M 1\n", "line 1: found 'M', expected a sample of v.vcf"),
            ("X 1 2 M 1\nbop M\n", "line 2: found the sample 'bop', expected one of the 3 samples of v.vcf"),
        ],
    )
    def test_samples(self, table, text, message):
        with pytest.raises(TfbindError, match=message):
            table(text).check(NAMES, "v.vcf")

    def test_a_sex_that_nobody_has(self, table):
        table("X 1 2 M 1\nann F\n").check(NAMES, "v.vcf")

    def test_contigs(self, table, tmp_path):
        names = Contigs(["chrX", "chr1"], "v.vcf")
        Ploidies(table("X 1 2 bob 1\n* * * ann 2\n")).check_contigs(names)
        with pytest.raises(TfbindError, match=r"p.txt: found the contig 'Y', which is not in v.vcf \(its"):
            Ploidies(table("Y 1 2 bob 1\n")).check_contigs(names)
        # V is a number beside IV
        numbered = Ploidies(table("5 1 9 bob 1\n"))
        numbered.check_contigs(Contigs(["IV", "V"], "v.vcf"))
        (region,) = numbered.regions("V", NAMES)[:1]
        assert region.source == str(numbered.table.path)
        (tmp_path / "par.bed").write_text("Z\t0\t100\n")
        with pytest.raises(TfbindError, match=r"par\.bed: found the contig 'Z'"):
            Ploidies(par=read_mask(tmp_path / "par.bed")).check_contigs(names)


def vcf_of_x(folder, *, par=100, n_sites=400, header="##contig=<ID=X>\n", contig="X", n_females=8):
    """Males m0 to m9, written as homozygous from site ``par`` on, and females f0, f1, ...; a site each 10 bp."""
    rng = np.random.default_rng(1)
    names = [f"m{i}" for i in range(10)] + [f"f{i}" for i in range(n_females)]
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + "\t".join(names)
    lines = [f"##fileformat=VCFv4.2\n{header}{columns}\n"]
    first, second = rng.integers(0, 2, (2, n_sites, 10 + n_females))
    second[par:, :10] = first[par:, :10]
    for site in range(n_sites):
        calls = "\t".join(f"{a}/{b}" for a, b in zip(first[site], second[site], strict=True))
        lines.append(f"{contig}\t{10 * site + 5}\t.\tA\tC\t.\t.\t.\tGT\t{calls}\n")
    path = folder / "v.vcf"
    path.write_text("".join(lines))
    return path, first


class TestReading:
    def by_par(self, tmp_path):
        (tmp_path / "par.bed").write_text("chrX\t0\t1000\n")
        return Ploidies(par=read_mask(tmp_path / "par.bed"))

    def test_males_are_found_outside_of_the_par(self, tmp_path):
        path, alleles = vcf_of_x(tmp_path)
        par, rest = read_genotypes(path, ploidies=self.by_par(tmp_path))
        assert (par.ploidy, par.n_chromosomes, par.start, par.end) == (2, 36, 4, 1000)
        assert (rest.ploidy, rest.n_chromosomes, rest.start, rest.end) == (1, 10, 1000, 3995)
        np.testing.assert_array_equal(rest.calls[:20], alleles[100:120, :10])
        assert [part.inheritance for part in (par, rest)] == ["pseudoautosomal", "sex_linked"]
        assert [part.n_single for part in (par, rest)] == [0, 10]
        assert [part.place for part in (par, rest)] == ["X:5-1,000", "X:1,001-3,995"]
        assert par.account.records + rest.account.records == 400
        # of females alone; with the males it would be near a half
        assert abs(rest.inbreeding) < 0.1

    def test_as_many_females_without_phase_tell_more_than_the_males(self, tmp_path):
        path, _ = vcf_of_x(tmp_path, n_females=10)
        _, rest = read_genotypes(path, ploidies=self.by_par(tmp_path))
        assert (rest.ploidy, rest.samples) == (2, tuple(f"f{i}" for i in range(10)))

    def test_males_are_not_found_across_the_par(self, tmp_path):
        (whole,) = read_genotypes(vcf_of_x(tmp_path, par=150)[0])
        assert (whole.ploidy, whole.n_chromosomes) == (2, 36)

    def test_males_that_are_stated(self, tmp_path, table, caplog):
        path, alleles = vcf_of_x(tmp_path)
        lines = "".join(f"X 1001 4000 m{i} 1\n" for i in range(10))
        par, rest = read_genotypes(path, ploidies=Ploidies(table(lines)))
        assert (par.n_chromosomes, rest.n_chromosomes, rest.end) == (36, 10, 3995)
        # that is said of those that the calls show
        assert "like inbred lines" not in caplog.text
        np.testing.assert_array_equal(rest.calls[:20], alleles[100:120, :10])

    def test_a_sample_of_ploidy_0_is_not_used(self, tmp_path, table):
        path, _ = vcf_of_x(tmp_path)
        (found,) = read_genotypes(path, ploidies=Ploidies(table("X * * f3 0\nX * * * 2\n")))
        assert found.n_chromosomes == 34
        assert found.samples_left_out == ("f3",)

    def test_samples_of_ploidy_0_do_not_count_at_all(self, tmp_path, table):
        path, _ = vcf_of_x(tmp_path, par=0)
        # ten of the others would be most of the samples
        unused = "".join(
            f"X * * {name}{i} 0\n"
            for name in "mf"
            for i in range(8 if name == "f" else 10)
            if (name, i) != ("f", 3)
        )
        (tmp_path / "only.txt").write_text("f3\n")
        (alone,) = read_genotypes(path, tmp_path / "only.txt")
        (stated,) = read_genotypes(path, ploidies=Ploidies(table(f"{unused}X * * * 2\n")))
        np.testing.assert_array_equal(np.asarray(alone.calls), np.asarray(stated.calls))
        assert stated.inbreeding == alone.inbreeding

    def test_a_contradiction_is_refused(self, tmp_path, table):
        path, _ = vcf_of_x(tmp_path)
        message = r"contig X: sample m\d is stated haploid by .*p.txt, found \d+ heterozygous among 400 calls"
        with pytest.raises(TfbindError, match=message):
            list(read_genotypes(path, ploidies=Ploidies(table("X * * m3 1\n"))))

    def test_contigs_are_checked_whether_the_header_has_them_or_not(self, tmp_path, table):
        ploidies = Ploidies(table("Y * * * 1\n"))
        for header in ("##contig=<ID=X>\n", ""):
            path, _ = vcf_of_x(tmp_path, header=header)
            with pytest.raises(TfbindError, match="found the contig 'Y', which is not in"):
                list(read_genotypes(path, ploidies=ploidies))
        path, _ = vcf_of_x(tmp_path, header="##contig=<ID=X>\n##contig=<length=5,ID=Y>\n")
        assert len(list(read_genotypes(path, ploidies=ploidies))) == 1

    def test_one_contig_of_several_may_be_missing(self, tmp_path, table, caplog):
        path, _ = vcf_of_x(tmp_path)
        assert list(read_genotypes(path, ploidies=Ploidies(table("Y * * * 1\nX * * * 2\n"))))
        assert "p.txt: 'Y': not in" in caplog.text

    def test_a_region_without_records_leaves_no_hole(self, tmp_path, table):
        path, _ = vcf_of_x(tmp_path, par=0)
        text = path.read_text().splitlines(keepends=True)
        path.write_text(
            "".join(line for line in text if line[0] == "#" or not 1000 < int(line.split()[1]) <= 2000)
        )
        found = list(read_genotypes(path, ploidies=Ploidies(table("X 1001 2000 m1 0\nX * * * 2\n"))))
        assert [(part.start, part.end) for part in found] == [(4, 2000), (2000, 3995)]

    def test_a_region_without_records_is_left_out(self, tmp_path, table):
        path, _ = vcf_of_x(tmp_path, par=0)
        found = list(read_genotypes(path, ploidies=Ploidies(table("X 6000 9000 m1 1\n"))))
        assert [(part.start, part.end, part.region) for part in found] == [(4, 3995, "X")]
