"""The tables of the page, as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import pandas as pd

from tfbind.report.html import html_table, integer, number
from tfbind.report.results import CrossValidationFolder, EvaluationFolder

HOW_TO_READ = """The AUROC is the probability that a bound sequence scores above an unbound one: 0.5 is
guessing, 1 is perfect. The average precision also depends on how rare bound sequences are: guessing scores
their share, the dotted line. In brackets stand 95% bootstrap intervals. The Brier score is the mean squared
error of the predicted probabilities: 0 is perfect. The calibration error is the mean distance between the
predicted probability and the share bound, over ten bins of equally many sequences; in brackets that of
perfectly calibrated probabilities, which on so few sequences is not 0. NA: undefined."""
HOW_TO_COMPARE = """Two models on the same sequences: the difference is the first one's AUROC minus the second's,
with its 95% interval, and p that of a two-sided test of no difference, not corrected for the number of tests."""

HOW_TO_READ_FOLDS = """Cross-validation: the mean over the folds, plus or minus their standard deviation. Models can be
compared fold by fold; there is no p, as folds share training sequences and no unbiased estimate of their variance
exists (Bengio & Grandvalet 2004)."""
HOW_TO_SELECT = """Every candidate by its best epoch on the validation part. The lowest validation loss is chosen, and
that model alone is evaluated."""


def metrics_table(evaluations: list[EvaluationFolder]) -> str:
    """How good every model is on every factor."""
    rows = [
        [
            escape(evaluation.dataset),
            escape(evaluation.model),
            escape(factor),
            _beside(metrics, "auroc", metrics.get("auroc_ci95")),
            _beside(metrics, "auprc", metrics.get("auprc_ci95")),
            number(metrics.get("brier")),
            _beside(metrics, "ece", [metrics.get("ece_perfect")]),
            number(metrics.get("recall_at_fpr01")),
            integer(metrics.get("n_positive")),
            integer(metrics.get("n_negative")),
            integer(metrics.get("n_not_scored")),
        ]
        for evaluation in evaluations
        for factor, metrics in evaluation.metrics.items()
    ]
    head = [
        "Data set",
        "Model",
        "Factor",
        "AUROC",
        "Average precision",
        "Brier",
        "Calibration error",
        "Recall at 1% false positives",
    ]
    return html_table([*head, "Bound", "Unbound", "Not scored"], rows, numbers_from=5)


def cross_validation_table(crossed: list[CrossValidationFolder]) -> str:
    """How good every model is over the folds."""
    rows = [
        [
            *map(escape, (one.dataset, one.model, factor)),
            *(_spread(metrics, name) for name in ("auroc", "auprc", "brier")),
            *(
                integer(metrics.get(name))
                for name in ("n_folds", "n_undefined", "n_positive", "n_negative", "n_not_scored")
            ),
        ]
        for one in crossed
        for factor, metrics in one.metrics.items()
    ]
    head = ["Data set", "Model", "Factor", "AUROC", "Average precision", "Brier", "Folds", "Undefined folds"]
    return html_table([*head, "Bound", "Unbound", "Not scored"], rows, numbers_from=3)


def fold_table(crossed: list[CrossValidationFolder]) -> str:
    """The AUROC of every model on every fold."""
    rows, folds = (
        [],
        dict.fromkeys(
            fold for one in crossed for metrics in one.metrics.values() for fold in metrics.get("folds", {})
        ),
    )
    for one in crossed:
        for factor, metrics in one.metrics.items():
            areas = [metrics.get("folds", {}).get(fold, {}).get("auroc") for fold in folds]
            rows.append([escape(one.model), escape(factor), *map(number, areas)])
    head = ["Model", "Factor", *(f"AUROC, fold {escape(fold)}" for fold in folds)]
    return html_table(head, rows, numbers_from=2)


def grid_table(grid: pd.DataFrame) -> str:
    """The candidates that a model was chosen from, as `tfbind.report.results.Dataset` holds them."""
    named = ["candidate", "chosen", *(name for name in ("architecture", "cell") if name in grid)]
    told = [*named, *(name for name in grid if name not in (*named, "val_loss", "val_auroc"))]
    rows = [
        [
            *(escape(row[name]) for name in told),
            *(f"{row[name]:.4f}" if row[name] == row[name] else "NA" for name in ("val_loss", "val_auroc")),
        ]
        for row in grid.to_dict("records")
    ]
    head = [name.replace("_", " ").capitalize() for name in told]
    return html_table([*head, "Validation loss", "Validation AUROC"], rows, numbers_from=len(named))


def calls_table(evaluations: list[EvaluationFolder]) -> str:
    """What calling sequences bound at a threshold gets right."""
    names = (
        "threshold",
        "precision_at_threshold",
        "recall_at_threshold",
        "recall_at_fdr10",
        "recall_at_fdr50",
    )
    rows = [
        [escape(evaluation.model), escape(factor), *(number(metrics.get(name)) for name in names)]
        for evaluation in evaluations
        for factor, metrics in evaluation.metrics.items()
    ]
    head = ["Model", "Factor", "Threshold", "Precision there", "Recall there"]
    return html_table(
        [*head, "Recall at 10% false discovery", "Recall at 50% false discovery"], rows, numbers_from=2
    )


def comparison_table(dataset: str, comparison: pd.DataFrame) -> str:
    """Every two models of a data set compared, as `tfbind.report.results.Dataset` holds it."""
    rows = []
    for row in comparison.astype(object).where(comparison.notna(), None).to_dict("records"):
        interval = [row["ci95_low"], row["ci95_high"]]
        models = [escape(row[side].removeprefix(f"{dataset}.")) for side in "ab"]
        areas = [number(row["auroc_a"]), number(row["auroc_b"])]
        p = "NA" if row["p"] is None else "&lt; 0.001" if row["p"] < 0.001 else f"{row['p']:.3f}"
        cells = [escape(row["factor"]), *models, *areas, _beside(row, "difference", interval), p]
        counts = [row["n_positive"], row["n_negative"]]
        rows.append([*cells, *(integer(None if n is None else int(n)) for n in counts)])
    head = ["Factor", "First", "Second", "AUROC, first", "AUROC, second", "Difference", "p"]
    methods = "; ".join(dict.fromkeys(comparison["method"].astype(str)))
    return (
        f"<h3>Comparison of models</h3>\n{html_table([*head, 'Bound', 'Unbound'], rows, 3)}"
        f'<p class="quiet">{HOW_TO_COMPARE} Method: {escape(methods)}.</p>\n'
    )


def _beside(metrics: dict[str, Any], name: str, beside: Sequence[Any] | None) -> str:
    """A metric with what stands in brackets behind it."""
    if metrics.get(name) is None or not beside or None in beside:
        return number(metrics.get(name))
    return f'{number(metrics[name])} <span class="interval">[{", ".join(map(number, beside))}]</span>'


def _spread(metrics: dict[str, Any], name: str) -> str:
    """A mean over folds with its standard deviation."""
    mean, sd = metrics.get(f"{name}_mean"), metrics.get(f"{name}_sd")
    return number(mean) if mean is None or sd is None else f"{number(mean)} &plusmn; {number(sd)}"


def flat_rows(summary: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Nested counts as rows of a name and a value."""
    for key, value in summary.items():
        name = f"{above}{key}".replace("_", " ")
        if isinstance(value, dict):
            yield from flat_rows(value, f"{name}, ")
        elif isinstance(value, int) and not isinstance(value, bool):
            yield name, f"{value:,}"
        else:
            yield name, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
