import json

import numpy as np
import pytest

from tfbind.cli import main


def tfbind(*arguments) -> int:
    return main([*map(str, arguments), "--threads", "1"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A genome of three contigs with a site every 300 bases, its peaks, tensors and a model."""
    folder = tmp_path_factory.mktemp("calibrate")
    rng = np.random.default_rng(8)
    rows = []
    with open(folder / "g.fa", "w") as genome:
        for name in ("I", "II", "III"):
            letters = rng.choice(list("ACGT"), 9_000)
            for at in range(100, 8_900, 300):
                letters[at : at + 8] = list("TGACGTCA")
                rows.append(f"{name}\t{at + 4}\t{at + 5}\n")
            genome.write(f">{name}\n{''.join(letters)}\n")
    (folder / "p.bed").write_text("".join(rows))
    peaks = ("--peaks", folder / "p.bed", "--genome", folder / "g.fa")
    split = ("--length", 60, "--validation-contigs", "II", "--test-contigs", "III")
    assert tfbind("encode", *peaks, *split, "-o", folder / "t.h5") == 0
    small = ("--architecture", "conv-bigru", "--units", 4, "--epochs", 3)
    assert tfbind("train", folder / "t.h5", *small, "-o", folder / "m.keras") == 0
    return folder


def test_a_calibrated_model_is_used_in_scans(folder, tmp_path):
    peaks = ("--peaks", folder / "p.bed", "--genome", folder / "g.fa")
    given = ("--model", folder / "m.keras", "--tensors", folder / "t.h5", *peaks)
    assert tfbind("calibrate", *given, "-o", tmp_path / "c.keras") == 0
    assert tfbind("calibrate", *given, "-o", tmp_path / "same.keras") == 0
    assert (tmp_path / "c.keras").read_bytes() == (tmp_path / "same.keras").read_bytes()

    sites = ("--fasta", folder / "g.fa", "--sites", tmp_path / "s.bed", "-o", tmp_path / "o.tsv")
    assert tfbind("predict", "--model", tmp_path / "c.keras", *sites) == 0
    summary = json.loads((tmp_path / "s.bed.json").read_text())
    assert summary["calibrated_for_genomes"]
    assert summary["notes"][0].startswith(
        "probabilities and q-values of sites hold for genomes with 3.33e+03 sites"
    )
    # 30 sites in each of three contigs
    assert summary["expected_in_all"] == pytest.approx(90, rel=0.25)

    contigs = (*peaks, "--contigs", "III", "-o", tmp_path / "ev")
    assert tfbind("evaluate", "--model", tmp_path / "c.keras", *contigs) == 0
    metrics = json.loads((tmp_path / "ev" / "metrics.json").read_text())["sites"]
    assert metrics["expected"] == pytest.approx(30, rel=0.3)
    assert tfbind("evaluate", "--model", folder / "m.keras", *contigs) == 0
    before = json.loads((tmp_path / "ev" / "metrics.json").read_text())["sites"]
    assert before["average_precision"] == pytest.approx(metrics["average_precision"], abs=0.05)


def test_another_tensors_file_is_refused(folder, given_tensors, tmp_path, capsys):
    peaks = ("--peaks", folder / "p.bed", "--genome", folder / "g.fa")
    given = ("--model", folder / "m.keras", "--tensors", given_tensors, *peaks)
    assert tfbind("calibrate", *given, "-o", tmp_path / "c.keras") == 2
    assert "is not the tensors file that" in capsys.readouterr().err
    assert tfbind("calibrate", *given, "-o", tmp_path / "c.h5") == 2
    assert "expected a name that ends in .keras" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
