"""The folder that an evaluation on whole contigs leaves: metrics, curves, sites, offsets and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from tfbind.binding.evaluation.genome_sites import PWM, SiteEvaluation
from tfbind.files import whole_folder
from tfbind.report.figures import offset_figure, pr_figure
from tfbind.tables import write_json, write_table

CURVE_COLUMNS = ["recall", "precision", "threshold"]


def write_site_evaluation(folder: Path, evaluation: SiteEvaluation) -> None:
    """Write an evaluation into ``folder``.

    The files are metrics.json, sites.tsv.gz, pr.tsv, pr.svg, offsets.tsv, offsets.svg and notes.json. In metrics.json
    ``sites`` are the metrics of the first model, ``pwm`` those of the matrix, and ``models`` those of all models.

    The folder is written whole or not at all, ``metrics.json`` last (`tfbind.files.whole_folder`).
    """
    with whole_folder(folder, last="metrics.json") as temporary:
        write_table(temporary / "sites.tsv.gz", evaluation.sites)
        curves = [
            pd.DataFrame(curve, columns=CURVE_COLUMNS).assign(scanner=name)[["scanner", *CURVE_COLUMNS]]
            for name, curve in evaluation.pr.items()
        ]
        no_curve = pd.DataFrame(columns=["scanner", *CURVE_COLUMNS])
        write_table(temporary / "pr.tsv", pd.concat(curves, ignore_index=True) if curves else no_curve)
        write_table(temporary / "offsets.tsv", evaluation.offsets)
        drawn = {
            name: (curve, evaluation.metrics[name]["average_precision"], None)
            for name, curve in evaluation.pr.items()
        }
        pr_figure(temporary / "pr.svg", drawn, heading="Average precision", baseline=False)
        offset_figure(temporary / "offsets.svg", evaluation.offsets, list(evaluation.metrics))
        write_json(temporary / "notes.json", evaluation.notes)
        write_json(temporary / "metrics.json", _metrics(evaluation.metrics))


def _metrics(metrics: dict[str, dict[str, Any]]) -> dict[str, Any]:
    models = {name: found for name, found in metrics.items() if name != PWM}
    content: dict[str, Any] = {}
    if models:
        first = next(iter(models))
        content = {"sites": {"model": first} | models[first]}
    if PWM in metrics:
        content["pwm"] = metrics[PWM]
    return content | {"models": models}
