import json

from tfbind.report.reading import Reader
from tfbind.report.site_section import read_sites, site_part

METRICS = {
    "sites": {"model": "x.one"},
    "models": {
        "x.one": {
            "n_peaks": 75,
            "average_precision": 0.757,
            "recall_at_q10": 0.48,
            "precision_at_q10": None,
            "median_offset": 1.0,
            "expected": 100.9,
            "observed": 75,
        }
    },
    "pwm": {
        "matrix": "MA0359.3",
        "name": "<RAP1>",
        "average_precision": 0.506,
        "expected": None,
        "observed": 75,
    },
}


def written(folder, metrics):
    sites = folder / "sites" / "x"
    sites.mkdir(parents=True)
    (sites / "metrics.json").write_text(json.dumps(metrics))
    (sites / "notes.json").write_text(json.dumps(["Peaks & sites"]))
    (sites / "pr.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    return Reader(folder), sites


def test_models_and_matrix(tmp_path):
    reader, folder = written(tmp_path, METRICS)
    html = site_part(read_sites(reader, folder, "x"))
    rows = [row for row in html.split("<tr>") if "<td" in row]
    assert len(rows) == 2
    for text in ("one", "0.757", "0.480", "NA", "101", "75"):
        assert text in rows[0]
    assert "matrix MA0359.3" in rows[1]
    assert "0.506" in rows[1]
    assert "Peaks &amp; sites" in html
    assert "Sites: precision and recall" in html


def test_nothing_was_scanned(tmp_path):
    reader, folder = written(tmp_path, {"models": {}})
    html = site_part(read_sites(reader, folder, "x"))
    assert "<table" not in html
    assert "Peaks &amp; sites" in html


def test_none_or_damaged(tmp_path):
    reader, folder = written(tmp_path, {"models": {"a": {"average_precision": "high"}}})
    assert read_sites(reader, tmp_path / "sites" / "y", "y") is None
    assert read_sites(reader, folder, "x") is None
    assert list(reader.faults) == ["sites/x/metrics.json"]
