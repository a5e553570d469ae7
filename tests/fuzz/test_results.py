"""Damaged and hostile results folders: the page is written, runs nothing, and names what is left out.

By hand, for thousands of mutants: ``python tests/fuzz/test_results.py 2000 [FIRST_SEED]``.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure

from tfbind.errors import TfbindError
from tfbind.report.page import write_report

SEEDS = 12  # in continuous integration
HOSTILE_TEXT = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</svg><script>alert(1)</script>",
    "a\tb",
    "a\nb",
    "=cmd|' /C calc'!A0",
    "$x^2$ \\frac{1}{0}",
    "\x00",
    "\x1b[31m",
    "\ud800",
    "\N{RIGHT-TO-LEFT OVERRIDE}evil",
    "x" * 300,
    "",
    "NA",
    "nan",
    "{}",
    "%s%n{0}",
)
HOSTILE_NUMBERS = ("-1", "1e308", "-1e308", "1e-320", "inf", "-inf", "nan", "9" * 40, "0x10", "1,5", "0", "2")
HOSTILE_JSON: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        2,
        1e308,
        -1e308,
        5e-324,
        10**40,
        float("nan"),
        float("inf"),
        [],
        {},
        [[]],
        {"a": []},
    ),
    *HOSTILE_TEXT,
)
TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "li",
        "section",
        "div",
        "img",
    ),
    *(
        "figure",
        "figcaption",
        "span",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "svg",
        "g",
        "path",
        "text",
        "tspan",
    ),
    *(
        "defs",
        "use",
        "rect",
        "clippath",
        "metadata",
        "rdf:rdf",
        "cc:work",
        "dc:type",
        "dc:format",
        "dc:creator",
    ),
    *("cc:agent", "dc:title"),
}


WINGS = ("evaluations", "folds", "map")


def build(results: Path, wings: Sequence[str] = WINGS, models: Sequence[str] = ("one", "two")) -> None:
    """One data set with two factors, a comparison and a grid; its folds; one population with a truth."""
    metrics = {
        "auroc": 0.93,
        "auroc_ci95": [0.91, 0.95],
        "auprc": 0.87,
        "auprc_ci95": None,
        "brier": 0.12,
        "ece": 0.03,
        "ece_perfect": 0.02,
        "threshold": 0.4,
        "n_positive": 12,
        "n_negative": 13,
        "n_not_scored": 0,
        "ci_method": "percentile bootstrap",
    }
    curve = "factor\t{}\t{}\tthreshold\nA\t0\t0.5\tinf\nA\t1\t0.6\t0.1\nB\t0\t0.5\tinf\nB\t1\t1\t0.1\n"
    folds = "fold\tfactor\t{}\t{}\tthreshold\n1\tA\t0\t0.5\tinf\n1\tA\t1\t1\t0.1\n2\tA\t0\t0.5\t0.2\n2\tA\t1\t1\t0\n"
    mean = "factor\t{}\t{}\tsd\nA\t0\t0.5\t0.1\nA\t1\t1\tNA\n"
    kinds = {"roc": ("fpr", "tpr"), "pr": ("recall", "precision")}
    files: dict[str, str] = {
        "tensors/d.summary.json": json.dumps({"splits": {"train": 16, "test": 2}, "factors": ["A", "B"]}),
        "comparison/d.tsv": "factor\ta\tb\tn_positive\tn_negative\tauroc_a\tauroc_b\tdifference\tci95_low\tci95_high\tp"
        "\tmethod\nA\td.one\td.two\t12\t13\t0.9\t0.8\t0.1\t0.05\t0.15\t0.01\tDeLong\nB\td.one\td.two\t0\t3\tNA\tNA\tNA"
        "\tNA\tNA\tNA\tnone\n",
        "models/d.one.grid.tsv": "candidate\tchosen\tunits\tval_loss\tval_auroc\na\tyes\t8\t0.4\t0.9\n",
    }
    for model in models:
        folder = f"evaluation/d.{model}"
        files[f"{folder}/metrics.json"] = json.dumps({"A": metrics, "B": dict.fromkeys(metrics)})
        files[f"{folder}/notes.json"] = '["Trained on shuffles."]'
        files[f"{folder}/extra.svg"] = "<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0'/></svg>"
        for kind, columns in kinds.items():
            files[f"{folder}/{kind}.tsv"] = curve.format(*columns)
        files[f"{folder}/predictions.tsv"] = "id\tfactor\tlabel\tscore\n" + "".join(
            f"r{n}\tA\t{n % 2}\t0.{n}\n" for n in range(10)
        )
        files[f"models/d.{model}.history.tsv"] = (
            "epoch\tloss\tval_loss\tval_auroc\n1\t0.7\t0.7\t0.5\n2\t0.6\tNA\t0.6\n"
        )
    folder = "cross_validation/d.one"
    folded = {"auroc_mean": 0.8, "auroc_sd": 0.01, "auprc_mean": 0.7, "auprc_sd": None, "n_folds": 2}
    folded |= {"folds": {"1": {"auroc": 0.8}, "2": {"auroc": None}}}
    files[f"{folder}/metrics.json"] = json.dumps({"A": folded})
    files[f"{folder}/notes.json"] = "[]"
    for kind, columns in kinds.items():
        files[f"{folder}/{kind}.tsv"] = folds.format(*columns)
        files[f"{folder}/mean_{kind}.tsv"] = mean.format(*columns)
    folder = "recombination/p"
    files[f"{folder}/map.tsv"] = (
        "chrom\tstart\tend\tn_sites\trate\trate_lower\trate_upper\tnote\tscale\n1\t100\t10000\t1200\t1e-8\t5e-9\t2e-8\t"
        "\t10000\n1\t10000\t20000\t34\t3e-8\t1e-8\t5e-8\toutside_training\t10000\n2\t0\t10000\t0\tNA\tNA\tNA\tmasked"
        "\t10000\n1\t100\t20000\t1234\t2e-8\t1e-8\t3e-8\t\t20000\n"
    )
    files[f"{folder}/hotspots.bed"] = "1\t500\t1500\th1\t900\t.\t12.5\t0.9\t2e-7\n"
    files[f"{folder}/notes.json"] = '["1 pair of samples is related"]'
    of_map = {
        "n_windows": 12,
        "pearson": 0.9,
        "spearman": None,
        "mae": 2e-9,
        "rmse": 5e-9,
        "coverage95": 0.94,
    }
    files[f"{folder}/evaluation/metrics.json"] = json.dumps({"10000": of_map, "hotspots": {"found": 3}})
    files[f"{folder}/evaluation/notes.json"] = '["the truth is coarse"]'
    files[f"{folder}/evaluation/scatter.svg"] = files["evaluation/d.one/extra.svg"]
    of_wing = {"evaluation": "evaluations", "cross_validation": "folds", "recombination": "map"}
    for name, text in files.items():
        if of_wing.get(name.split("/")[0], "evaluations") not in wings:
            continue
        path = results / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def mutate(results: Path, rng: random.Random) -> str:
    """Damage one file, or give one folder a hostile name; say what was done."""
    path = rng.choice(sorted(path for path in results.rglob("*") if path.is_file()))
    fields = {".json": mutate_json, ".tsv": mutate_cells, ".bed": mutate_cells}.get(path.suffix)
    kind = rng.choice(
        [mutate_bytes, replace_file, rename, *[fields] * 5] if fields else [mutate_bytes, replace_file]
    )
    try:
        done = kind(path, rng)
    except (ValueError, IndexError, TypeError):  # damaged already
        done = f"as it is, {mutate_bytes(path, rng) if path.stat().st_size else 'empty'}"
    return f"{kind.__name__} {path.relative_to(results)}: {done}"


def mutate_bytes(path: Path, rng: random.Random) -> str:
    data = bytearray(path.read_bytes())
    what = rng.choice(("flip", "truncate", "insert", "repeat"))
    place = rng.randrange(len(data))
    if what == "flip":
        for _ in range(rng.choice((1, 8))):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif what == "truncate":
        del data[place:]
    elif what == "insert":
        data[place:place] = rng.choice(
            (b"\0", b"\xff\xfe", b'"', b"\t", b"\n", b"\r", b"[" * 5000, rng.randbytes(9))
        )
    else:
        data[place:place] = data[: rng.randrange(len(data))]
    path.write_bytes(data)
    return f"{what} at {place}"


def replace_file(path: Path, rng: random.Random) -> str:
    path.unlink()
    what = rng.choice(("nothing", "empty", "folder", "loop", "gzip", "another file", "blank lines", "depth"))
    if what == "folder":
        path.mkdir()
    elif what == "loop":
        path.symlink_to(path.name)
    elif what == "another file":
        shutil.copy(
            rng.choice(sorted(other for other in path.parent.glob("*") if other.is_file()) or [__file__]),
            path,
        )
    elif what != "nothing":
        content = {
            "empty": b"",
            "gzip": b"\x1f\x8b\x08rest",
            "blank lines": b"\n" * 9,
            "depth": b'{"a":' * 900 + b"1",
        }
        path.write_bytes(content[what] + b"}" * 900 if what == "depth" else content[what])
    return what


def rename(path: Path, rng: random.Random) -> str:
    """Name a model, data set or population as a stranger may; a folder's name has no slash, and 255 bytes at most."""
    name = rng.choice([name for name in HOSTILE_TEXT if name and "\0" not in name and "\ud800" not in name])
    name = name.replace("/", "\N{FRACTION SLASH}")[:80]
    # evaluation/NAME, recombination/NAME and the like
    folder = next((parent for parent in path.parents if parent.parent.parent.name == "results"), path.parent)
    folder.rename(folder.with_name(rng.choice((name, f"d.{name}", f"{name}.one"))))
    return repr(name)


def mutate_cells(path: Path, rng: random.Random) -> str:
    rows = [line.split("\t") for line in path.read_text().splitlines()]
    what = rng.choice(("cell", "cell", "cell", "column", "row", "rows", "name"))
    row, column = rng.randrange(len(rows)), rng.randrange(len(rows[0]))
    value: object = rng.choice(HOSTILE_TEXT + HOSTILE_NUMBERS * 2)
    if what == "cell":
        rows[row][column] = str(value)
    elif what == "column":
        rows = [cells[:column] + cells[column + 1 :] for cells in rows]
    elif what == "row":
        del rows[row]
    elif what == "rows":
        rows = rows[:1] + rows[1:] * rng.choice((0, 2))
    else:  # one name everywhere, as a hostile factor has
        value = rng.choice(HOSTILE_TEXT)
        rows = [rows[0], *([str(value) if cell == "A" else cell for cell in cells] for cells in rows[1:])]
    text = "".join("\t".join(cells) + "\n" for cells in rows)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    return f"{what} {row} {column} {value!r}"


def mutate_json(path: Path, rng: random.Random) -> str:
    content = json.loads(path.read_text())
    places: list[tuple[Any, Any]] = []
    level = [content]
    while level:
        here = level.pop()
        for key in here if isinstance(here, dict) else range(len(here)):
            places.append((here, key))
            if isinstance(here[key], dict | list):
                level.append(here[key])
    value = rng.choice(HOSTILE_JSON)
    if not places or rng.random() < 0.05:
        content, what = value, "all"
    else:
        here, key = rng.choice(places)
        what = rng.choice(("value", "value", "value", "key", "gone"))
        if what == "value":
            here[key] = value
        elif what == "key" and isinstance(here, dict):
            here[str(value)] = here.pop(key)
        else:
            del here[key]
    path.write_text(json.dumps(content))
    return f"{what} {value!r}"


class Inert(HTMLParser):
    """Finds what a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(tag)
        for name, value in attrs:
            fetches = name in ("src", "href", "xlink:href") and not (value or "").startswith(
                ("#", "data:image/")
            )
            if name.startswith("on") or fetches:
                self.found.append(f"{tag} {name}={value}")


def check(seed: int, folder: Path) -> str:
    """Mutate, write the page and check it; give what was done."""
    results = folder / "results"
    rng = random.Random(seed)
    # figures take the time: a wing at once, and of the evaluations mostly a model
    build(results, [rng.choice(WINGS)], ["one", "two"][: rng.choice((1, 1, 1, 2))])
    done = "; ".join(mutate(results, rng) for _ in range(rng.choice((1, 1, 2))))
    page = folder / "report.html"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of letters that a font lacks
            faults = write_report(results, page)
        assert all(fault.isprintable() for fault in faults), faults
        assert ("This page is incomplete" in page.read_text()) == bool(faults)
        parser = Inert()
        parser.feed(page.read_text(encoding="utf-8"))
        assert parser.found == [], parser.found
    except TfbindError as error:
        # with its map a population goes, and here nothing else is left
        if "holds no evaluation" not in str(error) or (results / "recombination/p/map.tsv").exists():
            raise AssertionError(f"seed {seed}: {done}: no page, but {error}") from error
    except BaseException as error:
        error.add_note(f"seed {seed}: {done}")
        raise
    return done


def test_the_builder_gives_whole_results(tmp_path):
    build(tmp_path / "results")
    assert write_report(tmp_path / "results", tmp_path / "report.html") == []


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_mutant_has_a_page(seed, tmp_path):
    check(seed, tmp_path)


def write_nothing(_figure: Figure, file: Any, **_options: Any) -> None:
    """Stand in for writing a figure."""
    file.write("<svg></svg>")


def main(number: int, first: int = 0) -> int:
    """Run many mutants; print each failure's last lines."""
    failures = 0
    savefig = Figure.savefig
    for seed in range(first, first + number):
        # most of the time goes into writing figures: one in twenty mutants has them written, all have them drawn
        Figure.savefig = savefig if seed % 20 == 0 else write_nothing
        if seed % 100 == 0:
            print(f"seed {seed}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(seed, Path(folder))
            except Exception as error:
                failures += 1
                frames = traceback.extract_tb(error.__traceback__)
                ours = next(
                    (frame for frame in reversed(frames) if "/src/tfbind/" in frame.filename), frames[-1]
                )
                print(
                    f"{ours.filename}:{ours.lineno}: {error!r:.200}",
                    *getattr(error, "__notes__", ()),
                    sep="\n  ",
                    flush=True,
                )
    print(f"{number} mutants from seed {first}: {failures} failures")
    return bool(failures)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
