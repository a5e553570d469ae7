"""Files of which none has a contig of the other: the message names both, and what contigs each has."""

import pytest

from tfbind import cli

MAP = "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\n{0}\t0\t100\t9\t1e-8\t1e-9\t2e-8\t\n"


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {
        "map.tsv": MAP.format("chr1"),
        "same.tsv": MAP.format("1"),
        "other.tsv": MAP.format("XII"),
        "spots.bed": "scaffold_9\t10\t20\n",
        "lengths.txt": "VII 3.5\n",
    }.items():
        (tmp_path / name).write_text(text)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            "evaluate --map map.tsv --truth other.tsv -o out",
            "map.tsv: 1 of 1 contigs ('chr1') are not in other.tsv (its contigs: 'XII')",
        ),
        (
            "evaluate --map map.tsv --truth other.tsv lone.tsv -o out",
            "map.tsv: 1 of 1 contigs ('chr1') are not in other.tsv and 1 other file (its contigs: 'XII', 'XIII')",
        ),
        (
            "evaluate --map map.tsv --truth same.tsv --scales 100 --hotspots spots.bed -o out",
            "spots.bed: 1 of 1 contigs ('scaffold_9') are not in map.tsv (its contigs: 'chr1')",
        ),
        (
            "compare --maps map.tsv same.tsv --names A,B --truth other.tsv -o out.tsv",
            "map.tsv: 1 of 1 contigs ('chr1') are not in other.tsv (its contigs: 'XII')",
        ),
        (
            "enrichment --map map.tsv --sites spots.bed -o out",
            "spots.bed: 1 of 1 contigs ('scaffold_9') are not in map.tsv (its contigs: 'chr1')",
        ),
        (
            "convert map.tsv --genetic-length lengths.txt --to hapmap -o out.txt",
            "map.tsv: 1 of 1 contigs ('chr1') are not in lengths.txt (its contigs: 'VII')",
        ),
    ],
)
def test_names_both_files_and_their_contigs(argv, message, tmp_path, capsys):
    (tmp_path / "lone.tsv").write_text(MAP.format("XIII"))
    assert cli.main(["recombination", *argv.split()]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"tfbind: error: {message}"
    assert not list(tmp_path.glob("out*"))
