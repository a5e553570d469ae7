"""A peak's name may be anything: its coordinates never pass through it."""

from pathlib import Path

import numpy as np
import pytest

from tfbind import cli
from tfbind.tensors import open_tensors

NAMES = (
    "my peak",
    "µ 峰",
    "",
    ".",
    "twice",
    "twice",
    "x" * 300,
    "chr9:1-2",
    "a::chr9:5-9(+)",
    "=1+1",
    "a|b;c'\"<d>",
)
STARTS = range(500, 500 + 700 * len(NAMES), 700)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    contigs = {name: "".join(rng.choice(list("ACGT"), 20_000)) for name in ("chr1", "chr2")}
    Path("g.fa").write_text("".join(f">{name}\n{text}\n" for name, text in contigs.items()))
    rows = [
        f"{c}\t{at}\t{at + 200}\t{name}\t5\n" for c in contigs for at, name in zip(STARTS, NAMES, strict=True)
    ]
    Path("p.bed").write_text("".join(rows))
    return contigs


@pytest.mark.parametrize("method", ["genome", "dinucleotide"])
def test_encode_keeps_the_coordinates(method, here):
    given = "encode --peaks p.bed --genome g.fa --length 60 --split 0.6,0.2,0.2 -o o.h5 --negative-method"
    assert cli.main([*given.split(), method]) == 0
    with open_tensors("o.h5") as tensors:
        bound = tensors.y[:, 0] == 1
        all_intervals = tensors.intervals()
        intervals = [interval for interval, is_bound in zip(all_intervals, bound, strict=True) if is_bound]
        codes = tensors.codes(np.flatnonzero(bound))
        ids = list(tensors.text("id"))
    centres = [(contig, (start + end) // 2) for contig, start, end in intervals]
    assert sorted(centres) == sorted((contig, at + 100) for contig in here for at in STARTS)
    for (contig, start, end), row in zip(intervals, codes, strict=True):
        assert "".join("ACGT"[code] for code in row) == here[contig][start:end]
    assert len(set(ids)) == len(ids)
    # shuffles are held out with their positive, wherever that lies
    assert None not in all_intervals


def test_predict_has_a_row_for_each(model_path, here):
    given = f"predict --model {model_path} --peaks p.bed --genome g.fa --threads 1 -o o.tsv"
    assert cli.main(given.split()) == 0
    header, *rows = [line.split("\t") for line in Path("o.tsv").read_text().splitlines()]
    assert len(rows) == 2 * len(NAMES)
    assert {len(row) for row in rows} == {len(header)}
    centres = [(int(row[1]) + int(row[2])) // 2 for row in rows]
    assert centres == [at + 100 for _ in here for at in STARTS]
    assert all(row[3] != "NA" and row[4] == "" for row in rows)
