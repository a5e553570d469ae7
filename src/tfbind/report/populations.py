"""What a results folder holds of recombination maps, read as far as it is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tfbind.errors import TfbindError
from tfbind.files import open_text
from tfbind.recombination.evaluation.windows import read_prediction
from tfbind.tables import read_json

HOTSPOT_COLUMNS = ("chrom", "start", "end", "name", "score", "strand", "factor", "probability", "rate")


@dataclass(frozen=True)
class PopulationFolder:
    """The content of ``recombination/NAME/``.

    Attributes
    ----------
    name : str
    table : DataFrame
        ``map.tsv``, as `tfbind.recombination.evaluation.windows.read_prediction` gives it.
    per_mutation : bool
        Whether its rates are r/mu.
    hotspots : DataFrame or None
        ``hotspots.bed``, HOTSPOT_COLUMNS; None where missing.
    metrics : dict
        Scale to its metrics, as `tfbind.recombination.evaluation.measure.window_metrics` gives them; empty without a
        truth.
    warnings, notes : list of str
        Sentences of ``notes.json``, the map's and the evaluation's.
    figures : list of Path
        SVG files of the evaluation.
    """

    name: str
    table: pd.DataFrame
    per_mutation: bool
    hotspots: pd.DataFrame | None = None
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    figures: list[Path] = field(default_factory=list)


def read_populations(results: Path) -> list[PopulationFolder]:
    """Read every population's map and what belongs to it, by name.

    Raises
    ------
    TfbindError
        If a file that is there is damaged.
    """
    return [_read_population(path.parent) for path in sorted(results.glob("recombination/*/map.tsv"))]


def _read_population(folder: Path) -> PopulationFolder:
    table, per_mutation = read_prediction(folder / "map.tsv")
    evaluation = folder / "evaluation"
    metrics = evaluation / "metrics.json"
    # of an evaluation that stands whole: its metrics are written last
    return PopulationFolder(
        name=folder.name,
        table=table,
        per_mutation=per_mutation,
        hotspots=_read_hotspots(folder / "hotspots.bed"),
        metrics=_by_scale(read_json(metrics, dict)) if metrics.exists() else {},
        warnings=_read_notes(folder / "notes.json"),
        notes=_read_notes(evaluation / "notes.json") if metrics.exists() else [],
        figures=sorted(evaluation.glob("*.svg")) if metrics.exists() else [],
    )


def _by_scale(metrics: dict[str, Any]) -> dict[str, dict[str, Any]]:
    # the scores of hotspots, which are of no scale, are among the notes
    return {scale: of_scale for scale, of_scale in metrics.items() if scale != "hotspots"}


def _read_notes(path: Path) -> list[str]:
    return [str(note) for note in read_json(path, list)] if path.exists() else []


def _read_hotspots(path: Path) -> pd.DataFrame | None:
    if not path.exists():
        return None
    with open_text(path) as handle:
        rows = [line.rstrip("\n").split("\t") for line in handle if line.strip()]
    for number, row in enumerate(rows, start=1):
        if len(row) != len(HOTSPOT_COLUMNS):
            raise TfbindError(
                f"{path}: line {number}: found {len(row)} columns, expected {', '.join(HOTSPOT_COLUMNS)}"
            )
    table = pd.DataFrame(rows, columns=list(HOTSPOT_COLUMNS))
    try:
        return table.astype({"start": int, "end": int, "factor": float, "probability": float, "rate": float})
    except ValueError as error:
        raise TfbindError(f"{path}: not the hotspots of `tfbind recombination predict` ({error})") from None
