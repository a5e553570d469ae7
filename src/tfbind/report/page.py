"""The one HTML page that shows a results folder: no network, no script, all figures inside."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from tfbind.errors import TfbindError
from tfbind.files import whole_output
from tfbind.report.binding_section import binding_part
from tfbind.report.recombination_section import recombination_part


def write_report(results: Path, output: Path) -> None:
    """Write a results folder as one self-contained HTML page.

    Parameters
    ----------
    results : Path
        Holds any of ``evaluation/NAME.MODEL/`` (``metrics.json``, ``roc.tsv``, ``pr.tsv``, ``predictions.tsv``,
        ``notes.json``, any ``*.svg``), ``cross_validation/NAME.MODEL/`` (what `tfbind gather` writes) and
        ``recombination/NAME/`` (``map.tsv``, ``hotspots.bed``, ``notes.json``, ``evaluation/``); beside the first two
        ``models/NAME.MODEL.history.tsv``, ``tensors/NAME.summary.json`` and, if models were compared or selected,
        ``comparison/NAME.tsv`` and ``models/NAME.MODEL.grid.tsv``. What is not there is named in the page.
    output : Path
        The HTML file.

    Raises
    ------
    TfbindError
        If there is neither an evaluation nor a map, or a file is damaged.
    """
    parts = [part for part in (binding_part(results), recombination_part(results)) if part]
    if not parts:
        raise TfbindError(
            f"{results}: holds no evaluation/NAME.MODEL folder and no recombination/NAME/map.tsv, expected what"
            " `tfbind evaluate` or `tfbind recombination predict` wrote"
        )
    css = files("tfbind.report").joinpath("page.css").read_text(encoding="utf-8")
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>tfbind report</title>
<style>
{css}</style>
</head>
<body>
{_own_ids("".join(parts))}</body>
</html>
"""
    with whole_output(output) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def _own_ids(page: str) -> str:
    """Make the ids of every SVG its own: matplotlib gives each figure the same ones."""
    number = 0

    def own(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>f{number}-", match[0])

    return re.sub(r"<svg.*?</svg>", own, page, flags=re.DOTALL)
