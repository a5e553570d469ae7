"""Whether one model beats another on the same examples: paired differences of AUROC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from tfbind.binding.evaluation.bootstrap import LEVEL, REPLICATES, drawable_clusters, paired_differences
from tfbind.binding.evaluation.tables import PREDICTION_COLUMNS
from tfbind.errors import TfbindError
from tfbind.tables import read_text_table

LABELS = {"1": 1.0, "0": 0.0, "NA": np.nan}
# below it a standard error is the rounding of 0
LEAST_ERROR = 1e-12


class Comparison(NamedTuple):
    """Two models on the same examples; NaN where undefined.

    n_positive, n_negative : examples of known label that both models scored
    auroc_a, auroc_b, difference : the difference is a minus b
    ci95_low, ci95_high : of the difference
    p : two-sided, of no difference
    method : how the interval and p were made
    n_not_scored : examples of known label that either model could not score: left out
    """

    n_positive: int
    n_negative: int
    auroc_a: float
    auroc_b: float
    difference: float
    ci95_low: float
    ci95_high: float
    p: float
    method: str
    n_not_scored: int


def placements(
    positive: NDArray[np.float64], negative: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Structural components of an AUROC (DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837).

    By midranks (Sun & Xu 2014, IEEE Signal Process. Lett. 21:1389): O(n log n) where the definition takes
    every pair.

    Parameters
    ----------
    positive : (m,) float64
        Scores of bound sequences.
    negative : (n,) float64
        Scores of unbound sequences.

    Returns
    -------
    of_positive : (m,) float64
        For each positive the share of negatives below it, ties counting half; the mean is the AUROC.
    of_negative : (n,) float64
        For each negative the share of positives above it; the mean is the AUROC, too.
    """
    m, n = len(positive), len(negative)
    rank = rankdata(np.concatenate([positive, negative]))
    return (rank[:m] - rankdata(positive)) / n, 1 - (rank[m:] - rankdata(negative)) / m


def compare(
    label: NDArray[Any],
    score_a: NDArray[Any],
    score_b: NDArray[Any],
    cluster: NDArray[Any] | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare the AUROC of two models on the same examples.

    Independent examples are judged by DeLong's test. Where examples share clusters, the standard error of
    the paired difference is that of a bootstrap of whole clusters (Field & Welsh 2007, J. R. Stat. Soc. B
    69:369), with DeLong's normal interval and test round it. Few clusters: as
    `tfbind.binding.evaluation.bootstrap.drawable_clusters` says.

    Parameters
    ----------
    label : (n,) float
        1 bound, 0 unbound, NaN unknown: left out.
    score_a, score_b : (n,) float
        Higher for bound; NaN where a model gave no score: left out and counted.
    cluster : (n,) int or str, optional
        Examples that are not independent share one.
    seed : int
        Of the bootstrap.
    """
    known = ~np.isnan(label)
    kept = known & ~np.isnan(score_a) & ~np.isnan(score_b)
    positive = label[kept] == 1
    a, b = score_a[kept], score_b[kept]
    member, remark = drawable_clusters(positive, None if cluster is None else cluster[kept])
    m, n = int(positive.sum()), int((~positive).sum())
    not_scored = int((known & ~kept).sum())
    if not m or not n:
        nan, method = math.nan, "none: needs positives and negatives"
        return Comparison(m, n, nan, nan, nan, nan, nan, nan, method, not_scored)

    of_a, of_b = placements(a[positive], a[~positive]), placements(b[positive], b[~positive])
    by_positive, by_negative = of_a[0] - of_b[0], of_a[1] - of_b[1]
    difference = float(by_positive.mean())
    if member is not None:
        error = float(np.nanstd(paired_differences(positive, a, b, member, seed), ddof=1))
        method = f"bootstrap of {member.max() + 1} clusters, {REPLICATES} replicates"
    elif min(m, n) > 1:
        error = math.sqrt(by_positive.var(ddof=1) / m + by_negative.var(ddof=1) / n)
        method = f"DeLong{remark}"
    else:
        error, method = 0.0, f"DeLong of {m} and {n} examples"
    if error >= LEAST_ERROR:
        p = math.erfc(abs(difference) / error / math.sqrt(2))
    elif not by_positive.any() and not by_negative.any():
        p = 1.0
    else:
        # no pair of examples disagrees with the others: a spread of 0 would make any difference certain
        error, p, method = math.nan, math.nan, f"{method}: no variance to judge by"
    margin = NormalDist().inv_cdf(0.5 + LEVEL / 2) * error
    return Comparison(
        n_positive=m,
        n_negative=n,
        auroc_a=float(of_a[0].mean()),
        auroc_b=float(of_b[0].mean()),
        difference=difference,
        ci95_low=difference - margin,
        ci95_high=difference + margin,
        p=p,
        method=method,
        n_not_scored=not_scored,
    )


def compare_folders(folders: Sequence[Path], seed: int = 0) -> pd.DataFrame:
    """Compare every pair of evaluation folders, factor by factor.

    Parameters
    ----------
    folders : sequence of Path
        Each holds ``predictions.tsv`` of the same examples, as `tfbind evaluate` writes it.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        Columns ``factor``, ``a``, ``b`` (the folders' names) and the fields of `Comparison`.

    Raises
    ------
    TfbindError
        If there are fewer than two folders, a table is missing or damaged, examples, labels, clusters or
        splits differ, or a table pools several splits: scores of models of different folds are not on one
        scale, so a pooled AUROC tells nothing of either.
    """
    if len(folders) < 2:
        raise TfbindError(f"found {len(folders)} evaluation folder, expected at least two to compare")
    first, *others = folders
    tables = [_read_predictions(first)]
    tables += [_matched(_read_predictions(folder), folder, tables[0], first) for folder in others]
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [str(folder) for folder in folders]
    # a model of another encoding may have been evaluated without knowing that negatives are shuffles
    cluster = next((table["cluster"] for table in tables if (table["cluster"] != "").any()), None)
    factors = tables[0].index.get_level_values("factor")
    rows = []
    for factor in dict.fromkeys(factors):
        here = factors == factor
        label = tables[0]["label"].to_numpy()[here]
        shared = None if cluster is None else cluster.to_numpy(dtype=str)[here]
        scored = [(name, table["score"].to_numpy()[here]) for name, table in zip(names, tables, strict=True)]
        for (a, score_a), (b, score_b) in combinations(scored, 2):
            found = compare(label, score_a, score_b, shared, seed)
            rows.append({"factor": factor, "a": a, "b": b} | found._asdict())
    return pd.DataFrame(rows, columns=["factor", "a", "b", *Comparison._fields])


def _read_predictions(folder: Path) -> pd.DataFrame:
    """Read label and score (NaN for NA), split and cluster, by factor and id."""
    path = folder / "predictions.tsv"
    table = read_text_table(path, PREDICTION_COLUMNS, "tfbind evaluate")
    splits = dict.fromkeys(table["split"])
    if len(splits) != 1:
        raise TfbindError(
            f"{path}: found {len(splits)} splits ({', '.join(splits)}), expected one: folds are not pooled"
        )
    label = table["label"].map(LABELS)
    score = pd.to_numeric(table["score"].replace("NA", "nan"), errors="coerce")
    for column, wrong, expected in (
        ("label", ~table["label"].isin(list(LABELS)), "1, 0 or NA"),
        ("score", score.isna() & ~table["score"].isin(["NA", "nan"]), "a number or NA"),
    ):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise TfbindError(
                f"{path}: line {row + 2}: found {column} {table[column].iloc[row]!r}, expected {expected}"
            )
    return table.assign(label=label, score=score.astype(np.float64)).set_index(["factor", "id"])


def _matched(table: pd.DataFrame, folder: Path, first: pd.DataFrame, first_folder: Path) -> pd.DataFrame:
    """Bring a table into the first one's order of examples; refuse one of other examples."""
    path, expected = folder / "predictions.tsv", first_folder / "predictions.tsv"
    if not table.index.equals(first.index):
        for source, found in ((path, table.index), (expected, first.index)):
            if found.has_duplicates:
                factor, id = found[found.duplicated()][0]
                raise TfbindError(
                    f"{source}: found {id!r} twice for factor {factor!r}, expected each id once"
                )
        foreign = table.index.symmetric_difference(first.index, sort=False)
        if len(foreign):
            factor, id = foreign[0]
            owner = path if foreign[0] in table.index else expected
            raise TfbindError(
                f"{path}: {len(foreign):,} examples are not in both this and {expected}, the first is {id!r}"
                f" of factor {factor!r}, only in {owner}: expected the same examples"
            )
        table = table.reindex(first.index)
    for column in ("label", "split"):
        found, wanted = table[column], first[column]
        differ = ((found != wanted) & ~(found.isna() & wanted.isna())).to_numpy()
        if differ.any():
            row = int(differ.argmax())
            raise TfbindError(
                f"{path}: {int(differ.sum()):,} of {len(table):,} examples have another {column} than in"
                f" {expected}, the first is {table.index[row][1]!r} of factor {table.index[row][0]!r}:"
                f" found {_as_written(found.iloc[row])}, expected {_as_written(wanted.iloc[row])}"
            )
    clusters = [pd.factorize(one["cluster"])[0] for one in (table, first) if (one["cluster"] != "").any()]
    if len(clusters) == 2 and not np.array_equal(*clusters):
        raise TfbindError(
            f"{path}: examples are clustered otherwise than in {expected}, expected one clustering"
        )
    return table


def _as_written(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "NA" if math.isnan(value) else f"{value:.0f}"
