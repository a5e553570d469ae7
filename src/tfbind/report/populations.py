"""What a results folder holds of recombination maps, read as far as it is there and whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tfbind.errors import TfbindError
from tfbind.recombination.maps.table import read_map, resolution
from tfbind.report.reading import COUNT, LARGEST, NUMBER, SHARES, TEXTS, Columns, Numbers, Picture, Reader

HOTSPOTS: Columns = {
    "chrom": None,
    **dict.fromkeys(("start", "end"), Numbers(0, missing=False)),
    **dict.fromkeys(("name", "score", "strand"), None),
    "factor": Numbers(),
    "probability": SHARES,
    "rate": Numbers(),
}
METRICS = {
    "type": "object",
    "propertyNames": {"pattern": r"^([0-9]{1,12}|hotspots)\Z"},
    "additionalProperties": {
        "type": "object",
        "properties": {
            "n_windows": COUNT,
            **dict.fromkeys(("pearson", "pearson_log", "spearman", "r2"), NUMBER),
            **dict.fromkeys(("mae", "rmse", "bias_ratio", "coverage95"), NUMBER),
        },
    },
}


@dataclass(frozen=True)
class PopulationFolder:
    """The content of ``recombination/NAME/``.

    Attributes
    ----------
    name : str
    table : DataFrame or None
        ``map.tsv``, as `tfbind.recombination.maps.table.read_map` gives it, with a ``scale``; None where damaged.
    per_mutation : bool
        Whether its rates are r/mu.
    hotspots : DataFrame or None
        ``hotspots.bed``, the columns of HOTSPOTS; None where missing or damaged.
    metrics : dict
        Scale to its metrics, as `tfbind.recombination.evaluation.measure.window_metrics` gives them; empty without a
        truth.
    warnings, notes : list of str
        Sentences of ``notes.json``, the map's and the evaluation's.
    pictures : list of Picture
        SVG files of the evaluation.
    faults : list of str
        Sentences, each on a file of the population that is damaged and left out.
    """

    name: str
    table: pd.DataFrame | None
    per_mutation: bool
    hotspots: pd.DataFrame | None = None
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def read_populations(reader: Reader) -> list[PopulationFolder]:
    """Read every population's map and what belongs to it, by name."""
    return [
        _read_population(reader, folder)
        for folder in reader.folders("recombination")
        if reader.exists(folder / "map.tsv")
    ]


def _read_population(reader: Reader, folder: Path) -> PopulationFolder:
    read = reader.read(folder / "map.tsv", _read_map)
    table, per_mutation = (None, False) if read is None else read
    evaluation = folder / "evaluation"
    # of an evaluation that stands whole: its metrics are written last
    whole = reader.exists(evaluation / "metrics.json")
    return PopulationFolder(
        name=folder.name,
        table=table,
        per_mutation=per_mutation,
        hotspots=reader.table(folder / "hotspots.bed", HOTSPOTS, header=False),
        metrics=_by_scale(reader.json(evaluation / "metrics.json", METRICS) or {}),
        warnings=reader.json(folder / "notes.json", TEXTS) or [],
        notes=(reader.json(evaluation / "notes.json", TEXTS) or []) if whole else [],
        pictures=reader.pictures(evaluation) if whole else [],
        faults=reader.faults_of(folder),
    )


def _read_map(path: Path) -> tuple[pd.DataFrame, bool]:
    table, per_mutation = read_map(path)
    if (table.select_dtypes("number") > LARGEST).any(axis=None):
        raise TfbindError(f"{path}: found a number above {LARGEST:g}, which cannot be drawn")
    if "scale" not in table:
        table["scale"] = resolution(table)
    return table, per_mutation


def _by_scale(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    # the scores of hotspots, which are of no scale, are among the notes
    return {scale: of_scale for scale, of_scale in metrics.items() if scale != "hotspots"}
