"""Columns of the tables that evaluations write."""

PREDICTION_COLUMNS = ("id", "factor", "label", "score", "split", "cluster")
CURVE_COLUMNS = {
    "roc": ("factor", "fpr", "tpr", "threshold"),
    "pr": ("factor", "recall", "precision", "threshold"),
}
# of a cross-validation
MEAN_CURVE_COLUMNS = {kind: (*columns[:3], "sd") for kind, columns in CURVE_COLUMNS.items()}
