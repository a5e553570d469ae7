"""Maps in the formats that other programs read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfbind.errors import TfbindError
from tfbind.files import check_output, write_text
from tfbind.recombination.maps.points import gaps_path
from tfbind.recombination.maps.table import CM_PER_MB
from tfbind.steps import StepFunction

HEADER = "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)"
# formats of points have no NA; a gap's bases get no cM in them, or as many as their neighbors
FLAT, INTERPOLATED = "flat", "interpolated"


def write_hapmap(path: Path, maps: Mapping[str, StepFunction]) -> list[Path]:
    """Write a map in HapMap's format; see `write_map_as`."""
    return write_map_as("hapmap", path, maps)


def write_map_as(form: str, path: Path, maps: Mapping[str, StepFunction]) -> list[Path]:
    """Write maps by contig in a format of WRITERS.

    bedGraph and TSV leave unknown stretches out. In the other formats, whose rows are points, a contig begins with its
    first known base and ends with its last; a gap inside is flat in HapMap's format (rate 0), and in the others has
    the mean rate of its two neighbors, as programs that phase and impute interpolate between rows. The gaps are listed
    beside the file as `gaps_path` names it, where tfbind finds them again; a file that an earlier map left there is
    removed if this one has no gap.

    `msprime.RateMap.read_hapmap` reads a HapMap file of one contig through either column, at coordinates that are 1
    higher than ours.

    Parameters
    ----------
    form : str
    path : Path
        BGZF if the name ends in .gz or .bgz.
    maps : mapping of str to StepFunction
        By contig; rates per bp and generation, NaN where unknown.

    Returns
    -------
    list of Path
        What was written: the map and, if it has gaps, their list.

    Raises
    ------
    TfbindError
        If a contig has no name and the format needs one, or the file cannot be written.
    """
    header, rows, gaps = WRITERS[form]
    if "" in maps:
        raise TfbindError(
            f"{path}: the map does not name its contig, which format {form} needs; give --contig"
        )
    if gaps is None:
        write_text(path, _lines(header, rows, maps))
        return [path]
    beside = gaps_path(path)
    check_output(beside)
    known = {contig: steps for contig, each in maps.items() if (steps := _between_known(each)) is not None}
    lines = [
        f"{contig}\t{start}\t{end}\n"
        for contig, steps in known.items()
        for start, end in _unknown_stretches(steps)
    ]
    filled = {contig: steps.replace(_filled(steps, gaps)) for contig, steps in known.items()}
    write_text(path, _lines(header, rows, filled))
    if lines:
        write_text(beside, lines)
        return [path, beside]
    beside.unlink(missing_ok=True)
    return [path]


def _lines(
    header: str,
    rows: Callable[[str, StepFunction], Iterator[str]],
    maps: Mapping[str, StepFunction],
) -> Iterator[str]:
    if header:
        yield header + "\n"
    for contig, steps in maps.items():
        yield from rows(contig, steps)


def _between_known(steps: StepFunction) -> StepFunction | None:
    """Cut off what is unknown at the ends; None if all is."""
    known = np.flatnonzero(steps.is_known)
    if not len(known):
        return None
    first, last = int(known[0]), int(known[-1])
    return StepFunction(steps.edges[first : last + 2], steps.values[first : last + 1])


def _unknown_stretches(steps: StepFunction) -> list[tuple[int, int]]:
    return [(int(start), int(end)) for start, end in steps.edges[steps.runs(~steps.is_known)]]


def _filled(steps: StepFunction, gaps: str) -> NDArray[np.float64]:
    if gaps == FLAT:
        return np.nan_to_num(steps.values)
    known = np.flatnonzero(steps.is_known)
    before = np.searchsorted(known, np.arange(len(steps)), side="right") - 1
    after = np.minimum(before + 1, len(known) - 1)
    mean = (steps.values[known[before]] + steps.values[known[after]]) / 2
    return np.where(steps.is_known, steps.values, mean)


def _cumulative(steps: StepFunction) -> NDArray[np.float64]:
    """Sum up the cM from the first edge to each edge: (n + 1,) float64."""
    return np.concatenate([[0.0], np.cumsum(steps.values * steps.width)]) * 100


def _decimal(cm: float) -> str:
    """Write a genetic position to 1e-11 cM, without zeros at its end."""
    return f"{cm:.11f}".rstrip("0").rstrip(".")


def _hapmap_rows(contig: str, steps: StepFunction) -> Iterator[str]:
    rate = np.append(steps.values * CM_PER_MB, 0.0)
    for at, r, cm in zip(steps.edges.tolist(), rate.tolist(), _cumulative(steps).tolist(), strict=True):
        yield f"{contig}\t{at + 1}\t{r:.10g}\t{_decimal(cm)}\n"


def _eagle_rows(contig: str, steps: StepFunction) -> Iterator[str]:
    # Eagle's own tables give the rate before each row
    rate = np.append(0.0, steps.values * CM_PER_MB)
    for at, r, cm in zip(steps.edges.tolist(), rate.tolist(), _cumulative(steps).tolist(), strict=True):
        yield f"{contig} {at + 1} {r:.10g} {_decimal(cm)}\n"


def _plink_rows(contig: str, steps: StepFunction) -> Iterator[str]:
    for at, cm in zip(steps.edges.tolist(), _cumulative(steps).tolist(), strict=True):
        yield f"{contig}\t.\t{_decimal(cm)}\t{at + 1}\n"


def _gmap_rows(contig: str, steps: StepFunction) -> Iterator[str]:
    for at, cm in zip(steps.edges.tolist(), _cumulative(steps).tolist(), strict=True):
        yield f"{at + 1}\t{contig}\t{_decimal(cm)}\n"


def _window_rows(factor: float) -> Callable[[str, StepFunction], Iterator[str]]:
    def rows(contig: str, steps: StepFunction) -> Iterator[str]:
        rates = steps.values * factor
        for start, end, rate in zip(steps.start.tolist(), steps.end.tolist(), rates.tolist(), strict=True):
            if rate == rate:
                yield f"{contig}\t{start}\t{end}\t{rate:.15g}\n"

    return rows


# header, what makes a contig's rows, and what becomes of a gap (None: its rows are left out)
WRITERS: dict[str, tuple[str, Callable[[str, StepFunction], Iterator[str]], str | None]] = {
    "hapmap": (HEADER, _hapmap_rows, FLAT),
    "plink": ("", _plink_rows, INTERPOLATED),
    "gmap": ("pos\tchr\tcM", _gmap_rows, INTERPOLATED),
    "eagle": ("chr position COMBINED_rate(cM/Mb) Genetic_Map(cM)", _eagle_rows, INTERPOLATED),
    "bedgraph": ("", _window_rows(CM_PER_MB), None),
    "tsv": ("chrom\tstart\tend\trate_per_bp", _window_rows(1.0), None),
}
