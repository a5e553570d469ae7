"""What the page is put together from: tables, numbers, notes and figures, as HTML."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from typing import Any

from tfbind import __version__
from tfbind.report.reading import Picture


def html_table(head: list[str], rows: Iterable[list[str]], numbers_from: int = 1) -> str:
    """A table of cells that are HTML already; columns from the given one on hold numbers."""

    def line(cells: list[str], tag: str) -> str:
        marks = ["" if column < numbers_from else ' class="number"' for column in range(len(cells))]
        return (
            "<tr>" + "".join(f"<{tag}{m}>{c}</{tag}>" for m, c in zip(marks, cells, strict=True)) + "</tr>\n"
        )

    top = f"<thead>\n{line(head, 'th')}</thead>\n" if any(head) else ""
    body = "".join(line(row, "td") for row in rows)
    return f'<div class="scroll">\n<table>\n{top}<tbody>\n{body}</tbody>\n</table>\n</div>\n'


def number(value: Any) -> str:
    """A metric with three digits; NA where it is undefined."""
    return f"{value:.3f}".replace("-", "&minus;") if isinstance(value, (int, float)) else "NA"


def integer(value: Any) -> str:
    """A count; NA where it is missing."""
    return f"{value:,}" if isinstance(value, int) else "NA"


def count(n: int, noun: str) -> str:
    """So many of something, in words."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def heading(title: str, counts: Iterable[str]) -> str:
    """The top of a part of the page: its title, what made it, and how much it shows."""
    told = f"Report of tfbind {escape(__version__)}: {', '.join(counts)}."
    return f'<h1>{title}</h1>\n<p class="quiet">{told}</p>\n'


def note_list(notes: Iterable[str]) -> str:
    """Sentences that a reader must not miss, each once; nothing where there are none."""
    items = "".join(f"<li>{escape(note)}</li>" for note in dict.fromkeys(notes))
    return f'<ul class="notes">{items}</ul>\n' if items else ""


def figure(svg: str) -> str:
    """An SVG as part of the page: without the lines that only a file of its own needs."""
    return f"<figure>{svg[svg.index('<svg') :]}</figure>\n"


def image(picture: Picture, caption: str) -> str:
    """A figure that another verb drew, shut in an image, where no script of it can run."""
    data = base64.b64encode(picture.data).decode()
    shown = f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(picture.name)}">'
    return f"<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>\n"


def left_out(faults: Iterable[str]) -> str:
    """Files that are damaged and therefore not shown; nothing where there are none."""
    items = "".join(f"<li>{escape(fault)}</li>" for fault in faults)
    return (
        f'<p class="missing">Damaged, and left out:</p>\n<ul class="missing">{items}</ul>\n' if items else ""
    )
