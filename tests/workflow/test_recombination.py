"""The maps of the workflow on small data, by a network that it trains itself."""

import json

import numpy as np

from tfbind.recombination.maps.table import read_map


def test_every_promised_file_is_there(mapped):
    results = mapped.folder / "results"
    promised = [f"recombination/known/{name}" for name in ("map.tsv", "hapmap/sim1.txt", "hotspots.bed")]
    promised += [f"recombination/known/evaluation/{name}" for name in ("metrics.json", "landscape.svg")]
    promised += ["recombination/unknown/map.tsv", "recombination/rates.keras", "report.html"]
    promised += ["logs/map_rates/known.log", "benchmarks/map_rates/known.tsv"]
    assert [path for path in promised if not (results / path).is_file()] == []
    assert not (results / "recombination/unknown/hapmap").exists()


def test_maps_are_the_networks_and_their_windows_those_of_the_config(mapped):
    results = mapped.folder / "results" / "recombination"
    table, per_mutation = read_map(results / "known/map.tsv")
    assert not per_mutation
    assert set(table["scale"]) == {10_000, 50_000}
    assert table["rate"].notna().all()
    relative, per_mutation = read_map(results / "unknown/map.tsv")
    assert per_mutation
    np.testing.assert_allclose(relative["rate"] * 1.25e-8, table["rate"], rtol=1e-4)
    assert set(json.loads((results / "known/evaluation/metrics.json").read_text())) == {"50000", "hotspots"}


def test_warnings_stand_in_the_report(mapped):
    assert "--mutation-rate" in (mapped.folder / "results/recombination/unknown/notes.json").read_text()
    page = (mapped.folder / "results/report.html").read_text()
    assert "2 populations, 1 evaluation." in page
    assert "rates will be r/mu" in page


def test_nothing_is_done_twice(mapped):
    assert "Nothing to be done" in mapped.dry_run()


def test_more_jobs_leave_finished_ones_as_they_are(mapped):
    before = mapped.config["recombination"]
    mapped.config["recombination"] = before | {"retrain": before["retrain"] | {"jobs": 3}}
    try:
        output = mapped.dry_run()
    finally:
        mapped.config["recombination"] = before
    simulated = [line for line in output.splitlines() if line.startswith("Shell command: tfbind recomb")]
    assert sum(" simulate " in line for line in set(simulated)) == 1
    assert "-o results/simulations/3.h5" in output
