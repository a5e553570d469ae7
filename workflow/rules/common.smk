"""Helpers only: read and check the config and the sheets, say what the rules take in."""

import csv
import difflib
import sys
from itertools import product
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

# the checkout's own, as with --sdm conda tfbind is not installed beside Snakemake;
# these two need nothing but the standard library
sys.path.insert(0, str(Path(workflow.basedir) / "src"))
from tfbind.errors import TfbindError
from tfbind.networks.spec import ARCHITECTURES, check_options

COLUMNS = {
    "datasets": ["name", "positives", "negatives", "peaks", "genome", "predict"],
    "populations": [
        *("name", "vcf", "mask", "truth", "mutation_rate"),
        *("samples", "diversity", "unphased"),
    ],
}
# of the columns, those that hold no path
NOT_FILES = {"mutation_rate", "diversity", "unphased"}
# of the settings of retraining, the files, and those of tfbind recombination train
SIMULATION_FILES = ("demography", "rate_map", "prior")
RATE_TRAINING = {
    "start",
    "units",
    "layers",
    "epochs",
    "batch_size",
    "patience",
    "learning_rate",
}
# the network that tfbind ships has learnt from lower ones, and cannot be judged by its own regions
FIRST_SIMULATION_SEED = 1000


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
    """Check the config; give the data sets, the models to train on each, and the populations."""
    validate_or_explain(config, "../schemas/config.schema.yaml", "config")
    sheets = {kind: config[kind] for kind in COLUMNS if config[kind]}
    if not sheets:
        raise WorkflowError(
            "config: found neither datasets nor populations, nothing is left to do: "
            "expected the path of a sheet under one of them at least"
        )
    check_files_exist(sheets, "config")
    rows = {kind: read_sheet(path, kind) for kind, path in sheets.items()}
    if "populations" in rows:
        check_recombination(config["recombination"])
    if "datasets" not in rows:
        return {}, {}, rows["populations"]
    return rows["datasets"], read_models(), rows.get("populations", {})


def read_models():
    """Check what concerns data sets; give the models that are not switched off."""
    models = {name: row for name, row in config["models"].items() if row is not None}
    if not models:
        raise WorkflowError(
            "config: models: every model is null (switched off), expected one at least"
        )
    for name, settings in models.items():
        check_model(f"config: models.{name}", settings)
    encode = config["encode"]
    method, background = encode.get("negative_method"), encode.get("background")
    if (method == "background") != bool(background):
        raise WorkflowError(
            f"config: encode: found negative_method {method!r} and background {background!r}, "
            "expected background, the path of a model, and negative_method: background "
            "together or neither"
        )
    if encode.get("strict") and encode.get("skip_invalid"):
        raise WorkflowError(
            "config: encode: found strict and skip_invalid, expected one of them or neither: "
            "the first refuses what the second leaves out"
        )
    if encode.get("keep_excluded_positives") and not encode.get("exclude"):
        raise WorkflowError(
            "config: encode: found keep_excluded_positives without exclude, expected both or neither"
        )
    if not config.get("folds", None) and not has_test_part():
        raise WorkflowError(
            "config: encode.split: found no test part and no folds, nothing could be evaluated: "
            "expected a last part above 0, or folds"
        )
    files = {f"encode.{k}": encode.get(k) for k in ("exclude", "background")}
    check_files_exist(files, "config")
    return models


def check_model(where, settings):
    """Check each combination of a model's values."""
    kmers = config["encode"].get("encoding", None) == "kmer"
    for chosen in spread(settings).values():
        architecture = chosen["architecture"]
        try:
            check_options(architecture, chosen)
        except TfbindError as error:
            raise WorkflowError(f"{where}: {error}") from None
        if kmers and ARCHITECTURES[architecture].get("tracks", False):
            raise WorkflowError(
                f"{where}: found architecture {architecture}, which reads one-hot tensors, and "
                "encode.encoding kmer, expected null for this model, or encoding onehot "
                "(kegru makes its own k-mers of it)"
            )


def check_recombination(settings):
    """Check what the schema cannot say of the maps of recombination."""
    model, retrain = settings.get("model"), settings.get("retrain") or {}
    if model and retrain:
        raise WorkflowError(
            f"config: recombination: found model {model!r} and retrain, expected one of them or neither"
        )
    for key, needed in {
        "demography": "mutation_rate",
        "rate_map": "mutation_rate",
        "deme": "demography",
    }.items():
        if retrain.get(key) and not retrain.get(needed):
            raise WorkflowError(
                f"config: recombination.retrain: found {key} without {needed}, expected both"
            )
    for key in ("units", "layers"):
        if retrain.get("start") and retrain.get(key):
            raise WorkflowError(
                f"config: recombination.retrain: found {key} and start, expected one of them:"
                " the network that training goes on from has them"
            )
    files = {f"retrain.{k}": retrain.get(k) for k in SIMULATION_FILES}
    check_files_exist({"model": model} | files, "config: recombination")


def has_test_part():
    """Whether anything is held out of all training, the folds of a cross-validation included."""
    split = config["encode"].get("split", None)
    return bool(config["encode"].get("test_contigs", None) or not split or split[2] > 0)


def read_sheet(path, kind):
    """Read a sheet, of data sets or of populations: name -> its filled cells by column.

    CRLF, a byte order mark, blank lines and empty cells cut off at a line's end are
    all fine.
    """
    rows, lines = {}, {}
    with open(
        path, encoding="utf-8-sig", errors="surrogateescape", newline=""
    ) as handle:
        reader = csv.reader(handle, delimiter="\t", quoting=csv.QUOTE_NONE)
        columns = [column.strip() for column in next(reader, [])]
        check_columns(columns, COLUMNS[kind], f"{path}: line 1")
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
            validate_or_explain(row, f"../schemas/{kind}.schema.yaml", where)
            name = row.pop("name")
            if name in rows:
                raise WorkflowError(
                    f"{where}: name: found {name!r} again (first on line {lines[name]}), "
                    "expected each name once"
                )
            check_files_exist(
                {k: v for k, v in row.items() if k not in NOT_FILES}, where
            )
            rows[name], lines[name] = row, reader.line_num
    if not rows:
        one = {"datasets": "data set", "populations": "population"}[kind]
        raise WorkflowError(f"{path}: found no {one}, expected a row for each")
    return rows


def check_columns(columns, known, where):
    expected = f"expected {', '.join(known)}, separated by tabs"
    for column in columns:
        if column not in known:
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


DATASETS, MODELS, POPULATIONS = read_config()
# models that list values for some setting: each combination is a candidate
GRIDS = {
    name: spread(settings)
    for name, settings in MODELS.items()
    if any(isinstance(value, list) for value in settings.values())
}
PREDICTION = config.get("predict", {})
N_PIECES = PREDICTION.get("pieces", None) or 1
FOLDS = [f"fold{number + 1}" for number in range(config.get("folds", None) or 0)]


# holdout: nothing, for a model of the whole training part, or the fold that a model leaves out
wildcard_constraints:
    dataset=any_of(DATASETS),
    population=any_of(POPULATIONS),
    model=any_of(MODELS),
    candidate="[A-Za-z0-9_-]+",
    piece="[0-9]+",
    pieces="[0-9]+",
    fold="fold[0-9]+",
    holdout=r"(\.fold[0-9]+)?",


def as_flags(settings):
    """Turn {"max_peaks": 500, "k": None, "perfect": True} into ["--max-peaks", "500", "--perfect"].

    What is null or false is left to tfbind's own defaults.
    """
    flags = []
    for name, value in settings.items():
        if value is None or value is False:
            continue
        flags.append(f"--{name.replace('_', '-')}")
        if value is not True:
            values = value if isinstance(value, list) else [value]
            flags.append(",".join(map(str, values)))
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
        without_meaning |= {"keep_excluded_positives", "max_peaks", "peak_format"}
        without_meaning |= {"strict"}
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


def get_pieces(wildcards):
    return expand(
        "results/pieces/{dataset}.{model}/{piece}of{pieces}.tsv.gz",
        **dict(wildcards.items()),
        piece=range(1, N_PIECES + 1),
        pieces=N_PIECES,
    )


def get_map_inputs(wildcards):
    """Files under the names of the flags that they go to."""
    row = POPULATIONS[wildcards.population]
    inputs = {column: row.get(column) for column in ("vcf", "mask", "samples")}
    inputs["model"] = config["recombination"].get("model")
    if config["recombination"].get("retrain"):
        inputs["model"] = "results/recombination/rates.keras"
    return {name: path for name, path in inputs.items() if path}


def get_map_settings(wildcards):
    row = POPULATIONS[wildcards.population]
    settings = {
        "mutation_rate": row.get("mutation_rate"),
        "diversity": row.get("diversity"),
        "unphased": row.get("unphased") == "yes",
        "resolution": config["recombination"].get("resolution"),
        "hotspot_factor": config["recombination"].get("hotspot_factor"),
    }
    return as_flags(settings)


def get_truth(wildcards):
    return POPULATIONS[wildcards.population]["truth"]


def get_simulation_inputs(wildcards):
    """Files under the names of the flags that they go to."""
    retrain = config["recombination"]["retrain"]
    return {k: retrain[k] for k in SIMULATION_FILES if retrain.get(k)}


def get_simulation_settings(wildcards):
    """The settings of a job; its seed is its own."""
    others = {*SIMULATION_FILES, "jobs"} | RATE_TRAINING
    settings = config["recombination"]["retrain"].items()
    own = {"seed": config["seed"] + FIRST_SIMULATION_SEED + int(wildcards.job)}
    return as_flags({k: v for k, v in settings if k not in others} | own)


def get_rate_training_settings(wildcards):
    settings = config["recombination"]["retrain"].items()
    return as_flags({k: v for k, v in settings if k in RATE_TRAINING})


def get_simulations(wildcards):
    jobs = range(1, config["recombination"]["retrain"]["jobs"] + 1)
    return expand("results/simulations/{job}.h5", job=jobs)


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
    with_truth = [name for name, row in POPULATIONS.items() if "truth" in row]
    return {
        "comparisons": expand("results/comparison/{dataset}.tsv", **compared),
        "cross_validations": expand(
            "results/cross_validation/{dataset}.{model}/metrics.json", **crossed
        ),
        "grids": expand("results/models/{dataset}.{model}.grid.tsv", **searched),
        "histories": expand("results/models/{dataset}.{model}.history.tsv", **every),
        "map_evaluations": expand(
            "results/recombination/{population}/evaluation/metrics.json",
            population=with_truth,
        ),
        "maps": expand(
            "results/recombination/{population}/map.tsv", population=POPULATIONS
        ),
        "metrics": expand(
            "results/evaluation/{dataset}.{model}/metrics.json", **tested
        ),
        "predictions": expand("results/predictions/{dataset}.{model}.tsv.gz", **scored),
    }
