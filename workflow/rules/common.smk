"""Helpers only: read and check the config and the sheet, say what the rules take in."""

import csv
import difflib
from itertools import product
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

COLUMNS = ["name", "positives", "negatives", "peaks", "genome", "predict"]


def validate_or_explain(data, schema, where):
    """Check data against a schema; what is wrong is said in one line."""
    try:
        validate(data, schema, set_default=False)
    except WorkflowError as error:
        raise WorkflowError(explain(error.__context__, where)) from None


def explain(error, where):
    """Say what jsonschema found, and what the schema's description expected."""
    while "description" not in error.schema and error.parent is not None:
        error = error.parent
    key, problem = list(error.absolute_path), error.schema.get("description")
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        key.append(next(name for name in error.instance if name not in known))
        similar = difflib.get_close_matches(str(key[-1]), known, n=1)
        hint = (
            f"did you mean {similar[0]}" if similar else f"expected {', '.join(known)}"
        )
        problem = f"no such key, {hint}"
    elif error.validator == "required":
        key.append(next(k for k in error.validator_value if k not in error.instance))
        description = error.schema["properties"][key[-1]]["description"]
        problem = f"is missing, expected {description}"
    elif error.validator not in ("anyOf", "dependentRequired", "not"):
        problem = f"found {error.instance!r}, expected {problem}"
    return ": ".join(filter(None, [where, ".".join(map(str, key)), problem]))


def read_config():
    """Check the config; give the data sets and the models to train on each."""
    validate_or_explain(config, "../schemas/config.schema.yaml", "config")
    if config["populations"]:
        raise WorkflowError(
            f"config: populations: found {config['populations']!r}, expected nothing: "
            "this version maps no recombination (say populations= to leave it out)"
        )
    if not config["datasets"]:
        raise WorkflowError(
            "config: found neither datasets nor populations, nothing is left to do: "
            "expected datasets to be the path of a sheet"
        )
    models = {name: row for name, row in config["models"].items() if row is not None}
    if not models:
        raise WorkflowError(
            "config: models: every model is null (switched off), expected one at least"
        )
    encode = config["encode"]
    method, background = encode.get("negative_method"), encode.get("background")
    if (method == "background") != bool(background):
        raise WorkflowError(
            f"config: encode: found negative_method {method!r} and background {background!r}, "
            "expected background, the path of a model, and negative_method: background "
            "together or neither"
        )
    if not config.get("folds", None) and not has_test_part():
        raise WorkflowError(
            "config: encode.split: found no test part and no folds, nothing could be evaluated: "
            "expected a last part above 0, or folds"
        )
    files = {f"encode.{k}": encode.get(k) for k in ("exclude", "background")}
    check_files_exist(files, "config")
    check_files_exist({"datasets": config["datasets"]}, "config")
    return read_sheet(config["datasets"]), models


def has_test_part():
    """Whether anything is held out of all training, the folds of a cross-validation included."""
    split = config["encode"].get("split", None)
    return bool(config["encode"].get("test_contigs", None) or not split or split[2] > 0)


def read_sheet(path):
    """Read the sheet of data sets: name -> its filled cells by column.

    CRLF, a byte order mark, blank lines and empty cells cut off at a line's end are
    all fine.
    """
    rows, lines = {}, {}
    with open(
        path, encoding="utf-8-sig", errors="surrogateescape", newline=""
    ) as handle:
        reader = csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        columns = [column.strip() for column in next(reader, [])]
        check_columns(columns, f"{path}: line 1")
        for cells in reader:
            where = f"{path}: line {reader.line_num}"
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if any(cells[len(columns) :]):
                raise WorkflowError(
                    f"{where}: found {len(cells)} cells, expected {len(columns)}"
                )
            row = {column: cell for column, cell in zip(columns, cells) if cell}
            validate_or_explain(row, "../schemas/datasets.schema.yaml", where)
            name = row.pop("name")
            if name in rows:
                raise WorkflowError(
                    f"{where}: name: found {name!r} again (first on line {lines[name]}), "
                    "expected each name once"
                )
            check_files_exist(row, where)
            rows[name], lines[name] = row, reader.line_num
    if not rows:
        raise WorkflowError(f"{path}: found no data set, expected a row for each")
    return rows


def check_columns(columns, where):
    expected = f"expected {', '.join(COLUMNS)}, separated by tabs"
    for column in columns:
        if column not in COLUMNS:
            raise WorkflowError(f"{where}: no such column: {column!r}, {expected}")
        if columns.count(column) > 1:
            raise WorkflowError(f"{where}: column {column} is there twice, {expected}")
    if "name" not in columns:
        raise WorkflowError(f"{where}: column name is missing, {expected}")


def check_files_exist(files, where):
    for key, path in files.items():
        if path and not Path(path).is_file():
            raise WorkflowError(f"{where}: {key}: no such file: {path}")


def spread(settings):
    """Take each combination of the values that settings list; give name -> settings.

    A name tells the values, not a number: a value more in a list leaves the others' files valid.
    """
    lists = {k: v for k, v in sorted(settings.items()) if isinstance(v, list)}
    chosen = [dict(zip(lists, values)) for values in product(*lists.values())]
    names = ["_".join(f"{k}-{v}" for k, v in values.items()) for values in chosen]
    return {
        name.replace(".", "p").replace("+", ""): settings | values
        for name, values in zip(names, chosen)
    }


def any_of(names):
    """A pattern of these names; of none it is one that nothing matches."""
    return "|".join(names) or "(?!)"


DATASETS, MODELS = read_config()
# models that list values for some setting: each combination is a candidate
GRIDS = {
    name: spread(settings)
    for name, settings in MODELS.items()
    if any(isinstance(value, list) for value in settings.values())
}
FOLDS = [f"fold{number + 1}" for number in range(config.get("folds", None) or 0)]


# holdout: nothing, for a model of the whole training part, or the fold that a model leaves out
wildcard_constraints:
    dataset=any_of(DATASETS),
    model=any_of(MODELS),
    candidate="[A-Za-z0-9_-]+",
    fold="fold[0-9]+",
    holdout=r"(\.fold[0-9]+)?",


def as_flags(settings):
    """Turn {"max_peaks": 500, "k": None} into ["--max-peaks", "500"].

    What is null is left to tfbind's own defaults.
    """
    flags = []
    for name, value in settings.items():
        if value is not None:
            values = value if isinstance(value, list) else [value]
            flags += [f"--{name.replace('_', '-')}", ",".join(map(str, values))]
    return flags


def get_encode_inputs(wildcards):
    """Files under the names of the flags that they go to."""
    row = DATASETS[wildcards.dataset]
    inputs = {column: path for column, path in row.items() if column != "predict"}
    if "peaks" in row:
        inputs["exclude"] = config["encode"].get("exclude")
    if "negatives" not in row:
        inputs["background"] = config["encode"].get("background")
    return {name: path for name, path in inputs.items() if path}


def get_encode_settings(wildcards):
    """The settings that mean something for this data set."""
    row = DATASETS[wildcards.dataset]
    without_meaning = {"exclude", "background"}  # inputs, not settings
    if "negatives" in row:
        without_meaning |= {"negative_method", "negative_ratio"}
    if "peaks" not in row:
        without_meaning |= {"max_peaks"}
    settings = config["encode"] | {"folds": config.get("folds", None)}
    return as_flags({k: v for k, v in settings.items() if k not in without_meaning})


def get_train_settings(wildcards):
    settings = MODELS[wildcards.model]
    if wildcards.model in GRIDS:
        settings = GRIDS[wildcards.model][wildcards.candidate]
    return as_flags(
        settings | {"fold": wildcards.holdout.removeprefix(".fold") or None}
    )


def get_candidates(wildcards):
    return expand(
        "results/candidates/{dataset}.{model}{holdout}/{candidate}.keras",
        **dict(wildcards.items()),
        candidate=GRIDS[wildcards.model],
    )


def get_fasta_to_score(wildcards):
    return DATASETS[wildcards.dataset]["predict"]


def get_report_inputs(wildcards):
    """All that the page shows, and predictions where a FASTA is to be scored.

    Models are compared on the test part only: scores of different folds are not on one scale.
    """
    every = {"dataset": DATASETS, "model": MODELS}
    scored = {
        **every,
        "dataset": [n for n, row in DATASETS.items() if "predict" in row],
    }
    tested = {**every, "dataset": DATASETS if has_test_part() else []}
    compared = {**tested, "dataset": tested["dataset"] if len(MODELS) > 1 else []}
    crossed = {**every, "dataset": DATASETS if FOLDS else []}
    searched = {**every, "model": GRIDS}
    return {
        "comparisons": expand("results/comparison/{dataset}.tsv", **compared),
        "cross_validations": expand(
            "results/cross_validation/{dataset}.{model}/metrics.json", **crossed
        ),
        "grids": expand("results/models/{dataset}.{model}.grid.tsv", **searched),
        "histories": expand("results/models/{dataset}.{model}.history.tsv", **every),
        "metrics": expand(
            "results/evaluation/{dataset}.{model}/metrics.json", **tested
        ),
        "predictions": expand("results/predictions/{dataset}.{model}.tsv.gz", **scored),
    }
