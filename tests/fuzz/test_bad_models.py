"""Every row of tests/data/bad/models/README.md: one line, exit status 2, and nothing written."""

import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from tfbind.cli import main
from tfbind.training.archive import CARD, CONFIG, WEIGHTS

DATA = Path(__file__).parents[1] / "data"
ROWS = [
    tuple(cell.strip("` ") for cell in re.split(r" ?\| ?", line)[1:5])
    for line in (DATA / "bad" / "models" / "README.md").read_text().splitlines()
    if line.startswith("| `")
]
SEQUENCE = "ACGTTGCAACGTGACGTCATTGACCAGTAC"


def put(holder, place, value):
    *steps, last = (int(step) if step.isdigit() else step for step in place.split("."))
    for step in steps:
        holder = holder[step]
    holder[last] = value


def changed_weights(data, place, how, folder):
    stored = io.BytesIO(data)
    with h5py.File(stored, "r+") as file:
        values = file[place][()]
        del file[place]
        if how == "external":
            with h5py.File(folder / "other.h5", "w") as other:
                other["x"] = values
            file[place] = h5py.ExternalLink(str(folder / "other.h5"), "x")
        else:
            file[place] = np.full_like(values, np.nan) if how == "nan" else values.astype(how)
    return stored.getvalue()


def bad_model(name, change, folder):
    """Write a kept model with a change of the table."""
    with zipfile.ZipFile(DATA / f"model-{name}.keras") as archive:
        members = {each: archive.read(each) for each in archive.namelist()}
    place, value = change.split(" = ", 1)
    card = json.loads(members[CARD])
    if place.startswith("weights: "):
        members[WEIGHTS] = changed_weights(members[WEIGHTS], place.removeprefix("weights: "), value, folder)
    elif place.startswith("config: "):
        config = json.loads(members[CONFIG])
        put(config, place.removeprefix("config: "), json.loads(value))
        members[CONFIG] = json.dumps(config).encode()
    else:
        put(card, place, json.loads(value))
    card["sha256"] = {
        each: hashlib.sha256(data).hexdigest() for each, data in members.items() if each != CARD
    }
    path = folder / "m.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in (members | {CARD: json.dumps(card).encode()}).items():
            archive.writestr(each, data)
    return path


def arguments(verb, model, folder):
    (folder / "s.fa").write_text(f">s\n{SEQUENCE}\n")
    (folder / "n.fa").write_text(f">n\n{SEQUENCE[::-1]}\n")
    (folder / "v.vcf").write_text(
        "##fileformat=VCFv4.2\n##contig=<ID=s,length=30>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
        "s\t10\t.\tC\tA\t.\t.\t.\n"
    )
    output = ["-o", str(folder / "out" / "x.tsv"), "--threads", "1"]
    own = {
        "predict": ["predict", "--model", model, "--fasta", folder / "s.fa"],
        "variants": ["variants", "--model", model, "--genome", folder / "s.fa", "--vcf", folder / "v.vcf"],
        "evaluate": [
            "evaluate",
            "--model",
            model,
            "--positives",
            folder / "s.fa",
            "--negatives",
            folder / "n.fa",
        ],
        "background sample": ["background", "sample", model, "--n", "1", "--length", "5"],
        "recombination predict": ["recombination", "predict", "--model", model, "--vcf", folder / "v.vcf"],
    }[verb]
    return [*map(str, own), *output]


@pytest.mark.parametrize(("name", "change", "verb", "message"), ROWS, ids=[row[1] for row in ROWS])
def test_is_refused_in_one_line(tmp_path, capfd, name, change, verb, message):
    model = bad_model(name, change, tmp_path)
    assert main(arguments(verb, model, tmp_path)) == 2
    (line,) = (line for line in capfd.readouterr().err.splitlines() if line.startswith("tfbind: error: "))
    assert line.removeprefix(f"tfbind: error: {model}: ").startswith(message)
    assert not list(tmp_path.glob("out/*"))


def test_the_table_is_read():
    assert len(ROWS) > 25
    assert {row[2] for row in ROWS} >= {"predict", "variants", "evaluate", "background sample"}
