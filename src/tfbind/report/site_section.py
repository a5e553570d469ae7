"""What the page shows of the sites that models find on whole contigs: reading it, and its HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from tfbind.report.html import html_table, image, integer, note_list, number
from tfbind.report.reading import COUNT, NUMBER, TEXT, TEXTS, Picture, Reader

HOW_TO_READ_SITES = """Sites on whole contigs that no model has seen, against the peaks on them. A site is right within
a few bases of a peak (50, if nothing else was asked for). The average precision is over all sites, by score; its recall
is over all peaks. The offset is the distance from a site to its peak. Expected is what the probabilities of the sites
add up to, observed the number of peaks; of a model that is not calibrated for the genome, as the notes say, it is far
too high. NA: undefined."""

CAPTIONS = {"pr": "Sites: precision and recall", "offsets": "Sites: distance from summit to peak"}

SCANNER = {
    "type": "object",
    "properties": {
        **dict.fromkeys(
            ("average_precision", "recall_at_q10", "precision_at_q10", "median_offset", "expected"), NUMBER
        ),
        **dict.fromkeys(("n_peaks", "n_sites", "called_at_q10", "observed"), COUNT),
        **dict.fromkeys(("matrix", "name"), TEXT),
    },
}
SITE_METRICS = {
    "type": "object",
    "properties": {
        "sites": {"type": "object"},
        "pwm": SCANNER,
        "models": {"type": "object", "additionalProperties": SCANNER},
    },
}


@dataclass(frozen=True)
class SiteFolder:
    """The content of ``sites/NAME/``.

    Attributes
    ----------
    scanners : dict
        Name of a model or matrix to its metrics, see `tfbind.binding.evaluation.genome_sites.SiteEvaluation`.
    notes : list of str
    pictures : list of Picture
    """

    scanners: dict[str, dict[str, Any]]
    notes: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


def read_sites(reader: Reader, folder: Path, dataset: str) -> SiteFolder | None:
    """Read the folder of a data set's sites; None where there is none, or its metrics are damaged."""
    metrics = reader.json(folder / "metrics.json", SITE_METRICS)
    if metrics is None:
        return None
    scanners = {name.removeprefix(f"{dataset}."): found for name, found in metrics.get("models", {}).items()}
    if "pwm" in metrics:
        matrix = metrics["pwm"]
        scanners[f"matrix {matrix.get('matrix') or ''}".strip()] = matrix
    return SiteFolder(scanners, reader.json(folder / "notes.json", TEXTS) or [], reader.pictures(folder))


def site_part(sites: SiteFolder) -> str:
    """Show the metrics of every model and matrix, their curves and offsets."""
    rows = [
        [
            escape(name),
            *(
                number(found.get(metric))
                for metric in ("average_precision", "recall_at_q10", "precision_at_q10")
            ),
            number(found.get("median_offset")),
            integer(None if found.get("expected") is None else round(found["expected"])),
            integer(found.get("observed")),
        ]
        for name, found in sites.scanners.items()
    ]
    head = ["Scanner", "Average precision", "Recall at q of .1", "Precision at q of .1", "Median offset"]
    table = html_table([*head, "Expected", "Observed"], rows, numbers_from=1)
    parts = ["<h3>Sites in the genome</h3>\n", note_list(sites.notes)]
    if rows:
        parts += [table, f'<p class="quiet">{HOW_TO_READ_SITES}</p>\n']
    return "".join(
        [*parts, *(image(picture, CAPTIONS.get(picture.name, picture.name)) for picture in sites.pictures)]
    )
