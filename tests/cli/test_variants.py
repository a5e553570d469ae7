import gzip

import pytest

from tfbind.cli import main

GENOME = ">chr1\n" + "ACGTTGCA" * 40 + "\n"
HEADER = "##fileformat=VCFv4.2\r\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\r\n"


@pytest.fixture
def variants(model_path, tmp_path):
    def variants(text: str, *more) -> int:
        (tmp_path / "g.fa").write_text(GENOME)
        with gzip.open(tmp_path / "v.vcf.gz", "wt", newline="") as out:
            out.write(text)
        given = ("--model", model_path, "--genome", tmp_path / "g.fa", "--vcf", tmp_path / "v.vcf.gz")
        return main(["variants", *map(str, (*given, *more)), "--threads", "1"])

    return variants


def test_gives_the_contracts_table(variants, tmp_path):
    output = tmp_path / "new" / "o.tsv"
    text = HEADER + "chr1\t101\trs1\tT\tG,TA\t.\t.\t.\r\nchr1\t102\t.\tA\t<DEL>\t.\t.\t.\r\n"
    assert variants(text, "-o", output) == 0
    header, *rows = [line.split("\t") for line in output.read_text().splitlines()]
    assert header == ["chrom", "pos", "id", "ref", "alt", "CREB_ref", "CREB_alt", "CREB_delta", "note"]
    assert [(*row[:5], row[8]) for row in rows] == [
        ("chr1", "101", "rs1", "T", "G", ""),
        ("chr1", "101", "rs1", "T", "TA", ""),
        ("chr1", "102", ".", "A", "<DEL>", "not_a_sequence"),
    ]
    assert all(0 < float(row[5]) < 1 and float(row[7]) for row in rows[:2])
    assert rows[2][5:8] == ["NA"] * 3


def test_reads_five_columns_without_a_header(variants, tmp_path):
    assert variants("chr1\t101\t.\tT\tG\nchr1\t105\tx\tA\tAG\n", "-o", tmp_path / "o.tsv") == 0
    rows = [line.split("\t") for line in (tmp_path / "o.tsv").read_text().splitlines()[1:]]
    assert [row[:5] for row in rows] == [["chr1", "101", ".", "T", "G"], ["chr1", "105", "x", "A", "AG"]]
    assert [row[-1] for row in rows] == ["", ""]


def test_wrong_input_is_one_line_and_exit_2(variants, tmp_path, capsys):
    assert variants("chr1\t101\t120\tpeak\t960\t+\n", "-o", tmp_path / "o.tsv") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tfbind: error: ")
    assert "v.vcf.gz: line 1: found 'peak' in column 4, REF, expected a VCF" in line
    assert not (tmp_path / "o.tsv").exists()


def test_a_malformed_record_is_noted_or_with_strict_refused(variants, tmp_path, capsys, caplog):
    text = HEADER + "chr1\t101\t.\tT\tG\t.\t.\t.\r\nchr1\t?\t.\tT\tG\t.\t.\t.\r\n"
    assert variants(text, "-o", tmp_path / "o.tsv") == 0
    assert (tmp_path / "o.tsv").read_text().splitlines()[2] == "chr1\t?\t.\tT\tG\tNA\tNA\tNA\tmalformed"
    assert "line 4: found the position '?'" in caplog.text
    assert variants(text, "--strict", "-o", tmp_path / "strict.tsv") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("tfbind: error: ")
    assert line.endswith("v.vcf.gz: line 4: found the position '?', expected a whole number")
    assert not (tmp_path / "strict.tsv").exists()


def test_stride(variants, tmp_path):
    deltas = []
    for stride in ("1", "60"):
        text = HEADER + "chr1\t101\t.\tT\tG\t.\t.\t.\r\n"
        assert variants(text, "--stride", stride, "-o", tmp_path / "o.tsv") == 0
        deltas.append(float((tmp_path / "o.tsv").read_text().splitlines()[1].split("\t")[7]))
    assert abs(deltas[0]) > abs(deltas[1])


def test_max_allele(variants, tmp_path):
    text = HEADER + "chr1\t101\t.\tTGCA\tT\t.\t.\t.\r\n"
    for most, note in (("3", ""), ("2", "too_long")):
        assert variants(text, "--max-allele", most, "-o", tmp_path / "o.tsv") == 0
        assert (tmp_path / "o.tsv").read_text().splitlines()[1].split("\t")[-1] == note


def test_does_not_overwrite_the_vcf(variants, tmp_path, capsys):
    assert variants(HEADER, "-o", tmp_path / "v.vcf.gz") == 2
    assert "is the file of --vcf" in capsys.readouterr().err


def test_uncertainty_is_a_column_of_an_ensemble(variants, ensemble_path, tmp_path, capsys):
    text = HEADER + "chr1\t101\trs1\tT\tG,TA\t.\t.\t.\r\nchr1\t102\t.\tA\t<DEL>\t.\t.\t.\r\n"
    for name, more in (("plain", ()), ("sd", ("--uncertainty",))):
        assert variants(text, "--model", ensemble_path, *more, "-o", tmp_path / f"{name}.tsv") == 0
    plain, found = (
        [line.split("\t") for line in (tmp_path / f"{name}.tsv").read_text().splitlines()]
        for name in ("plain", "sd")
    )
    assert found[0][5:] == [
        *(
            "CREB_ref",
            "CREB_alt",
            "CREB_delta",
            "CREB_sd",
            "SP1_ref",
            "SP1_alt",
            "SP1_delta",
            "SP1_sd",
            "note",
        )
    ]
    assert [[*row[:8], *row[9:12], row[13]] for row in found] == plain
    assert all(float(row[column]) > 0 for row in found[1:3] for column in (8, 12))
    assert found[3][5:13] == ["NA"] * 8
    assert variants(text, "--uncertainty", "-o", tmp_path / "o.tsv") == 2
    assert "one.keras: is one network" in capsys.readouterr().err
