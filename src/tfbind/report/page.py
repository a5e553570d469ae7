"""The one HTML page that shows a results folder: no network, no script, all figures inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from tfbind.errors import TfbindError
from tfbind.files import whole_output
from tfbind.report.binding_section import binding_part
from tfbind.report.html import count
from tfbind.report.populations import read_populations
from tfbind.report.reading import Reader
from tfbind.report.recombination_section import recombination_part
from tfbind.report.results import read_datasets


def write_report(results: Path, output: Path, unfinished: Sequence[str] = ()) -> list[str]:
    """Write a results folder as one self-contained HTML page.

    A file that is damaged is left out, and the page says so; all else is shown.

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
    unfinished : sequence of str
        Paths within ``results`` whose jobs did not finish, as `tfbind.report.reading.Reader` takes them. They are
        named at the top of the page, and nothing of them is shown.

    Returns
    -------
    list of str
        A line for each file that is damaged or unfinished.

    Raises
    ------
    TfbindError
        If there is neither an evaluation nor a map, and nothing is unfinished.
    """
    reader = Reader(results, unfinished)
    datasets, populations = read_datasets(reader), read_populations(reader)
    if not datasets and not populations and not unfinished:
        raise TfbindError(
            f"{results}: holds no evaluation/NAME.MODEL folder and no recombination/NAME/map.tsv, expected what"
            " `tfbind evaluate` or `tfbind recombination predict` wrote"
        )
    parts = [
        incomplete_part(unfinished, reader.faults),
        binding_part(datasets),
        recombination_part(populations),
    ]
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
        # a folder's name may be no text, and JSON may hold half of a character
        temporary.write_bytes(page.encode("utf-8", errors="replace"))
    lines = [f"{results / path}: {problem}" for path, problem in reader.faults.items()]
    lines += [f"{results / path}: its job did not finish" for path in unfinished]
    # a folder's name may hold line ends, or what a terminal obeys
    return ["".join(letter if letter.isprintable() else "?" for letter in line) for line in lines]


def incomplete_part(unfinished: Sequence[str], faults: Mapping[str, str]) -> str:
    """Say at the top of the page what it lacks; nothing where it is complete."""
    items = [f"<li>{escape(path)}: its job did not finish</li>" for path in unfinished]
    items += [f"<li>{escape(path)}: damaged ({escape(problem)})</li>" for path, problem in faults.items()]
    if not items:
        return ""
    why = "The logs of the jobs say why they did not finish." if unfinished else ""
    return (
        f"<section>\n<h1>This page is incomplete</h1>\n<p>{count(len(items), 'file')} could not be shown. {why}</p>\n"
        f'<ul class="missing">{"".join(items)}</ul>\n</section>\n'
    )


def _own_ids(page: str) -> str:
    """Make the ids of every SVG its own: matplotlib gives each figure the same ones."""
    number = 0

    def own(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>f{number}-", match[0])

    return re.sub(r"<svg.*?</svg>", own, page, flags=re.DOTALL)
