import argparse
import re
from pathlib import Path

import pytest

from tfbind.cli import simulate
from tfbind.dna.matrices import shipped_matrices
from tfbind.dna.simulate import CPG_RATIO, GC_CONTENT
from tfbind.errors import TfbindError
from tfbind.files import open_text, sha256

RESOURCES = Path(__file__).parents[2] / "resources"


def parse(*argv):
    parser = argparse.ArgumentParser()
    simulate.register_parser(parser.add_subparsers())
    return parser.parse_args(["simulate", *map(str, argv)])


def run(*argv):
    args = parse(*argv)
    args.run(args)


def test_writes_the_three_files(tmp_path):
    run("--motif", "prdm9", "--n", 5, "--length", 40, "-o", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "negatives.fa",
        "positives.fa",
        "truth.bed",
    ]
    assert (tmp_path / "out" / "truth.bed").read_text().startswith("PRDM9_positive_1\t")


def test_options_reach_the_sequences(tmp_path):
    run("--motif", "MAX", "--n", 200, "--length", 100, "--gc", 0.8, "--fraction", 0.5, "-o", tmp_path)
    text = "".join((tmp_path / "negatives.fa").read_text().splitlines()[1::2])
    assert sum(map(text.count, "CG")) / len(text) == pytest.approx(0.8, abs=0.02)
    assert len((tmp_path / "truth.bed").read_text().splitlines()) == 100


def test_unknown_motif(tmp_path):
    with pytest.raises(TfbindError, match="'nothing': no such file"):
        run("--motif", "nothing", "--n", 5, "--length", 40, "-o", tmp_path)


def test_defaults_and_help_are_those_of_the_package():
    args = parse("--motif", "x", "--n", 1, "--length", 1, "-o", "x")
    assert (args.gc, args.cpg_ratio) == (GC_CONTENT, CPG_RATIO)
    parser = argparse.ArgumentParser()
    simulate.register_parser(subparsers := parser.add_subparsers())
    help_text = subparsers.choices["simulate"].format_help()
    assert all(re.search(rf"\b{matrix.name}\b", help_text) for matrix in shipped_matrices())


class TestResources:
    """The demo's inputs, which this verb made."""

    def test_checksums_in_the_readme(self):
        listed = dict(
            reversed(line.split())
            for line in (RESOURCES / "README.md").read_text().splitlines()
            if re.match(r"[0-9a-f]{64}  ", line)
        )
        files = [path for path in RESOURCES.rglob("*") if path.is_file() and path.name != "README.md"]
        assert {path.name: sha256(path) for path in files} == listed

    def test_sites_to_score_are_where_the_bed_says(self):
        with open_text(RESOURCES / "to_score.fa.gz") as handle:
            lines = handle.read().splitlines()
        sequences = {line[1:]: sequence for line, sequence in zip(lines[::2], lines[1::2], strict=True)}
        matrix = next(matrix for matrix in shipped_matrices() if matrix.name == "CTCF")
        complement = str.maketrans("ACGT", "TGCA")
        agreeing = []
        for line in (RESOURCES / "to_score.bed").read_text().splitlines():
            name, start, end, identifier, _, strand = line.split("\t")
            assert identifier == matrix.id
            site = sequences[name][int(start) : int(end)]
            site = site if strand == "+" else site[::-1].translate(complement)
            agreeing += [
                "ACGT".index(letter) == best
                for letter, best in zip(site, matrix.counts.argmax(1), strict=True)
            ]
        assert sum(agreeing) / len(agreeing) > 0.7
