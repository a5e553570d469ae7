"""Helpers only: say what the rules take in."""

import sys
from pathlib import Path

# the checkout's own, as with --sdm conda tfbind is not installed beside Snakemake;
# what is imported here needs nothing but the standard library and what Snakemake brings
sys.path[:0] = [str(Path(workflow.basedir) / name) for name in ("src", "workflow")]
from configuration import (
    JASPAR_ID,
    SIMULATION_FILES,
    as_flags,
    has_test_part,
    is_number,
    read_config,
    spread,
    states_parts,
)

# of the settings of retraining, those of tfbind recombination train
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


def any_of(names):
    """A pattern of these names; of none it is one that nothing matches."""
    return "|".join(names) or "(?!)"


DATASETS, MODELS, POPULATIONS = read_config(config)
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
    # the rules that the others lead back to know the names: a pattern of all of them in every rule
    # would cost each job time by their number
    dataset="[A-Za-z0-9_-]+",
    population="[A-Za-z0-9_-]+",
    model=any_of(MODELS),
    candidate="[A-Za-z0-9_-]+",
    piece="[0-9]+",
    pieces="[0-9]+",
    fold="fold[0-9]+",
    holdout=r"(\.fold[0-9]+)?",


def get_encode_inputs(wildcards):
    """Files under the names of the flags that they go to."""
    row = DATASETS[wildcards.dataset]
    inputs = {
        column: path for column, path in row.items() if column not in ("predict", "pwm")
    }
    if "peaks" in row:
        inputs["exclude"] = config["encode"].get("exclude")
    if "negatives" not in row and "table" not in row:
        inputs["background"] = config["encode"].get("background")
    return {name: path for name, path in inputs.items() if path}


def get_encode_settings(wildcards):
    """The settings that mean something for this data set."""
    row = DATASETS[wildcards.dataset]
    without_meaning = {"exclude", "background"}  # inputs, not settings
    if "negatives" in row or "table" in row:
        without_meaning |= {"negative_method", "negative_ratio"}
    if states_parts(row):
        without_meaning |= {"test_contigs", "validation_contigs"}
    if "peaks" not in row:
        without_meaning |= {"keep_excluded_positives", "max_peaks", "peak_format"}
        without_meaning |= {"split_by", "strict"}
    settings = config["encode"] | {"folds": config.get("folds", None)}
    return as_flags({k: v for k, v in settings.items() if k not in without_meaning})


def get_genome(wildcards):
    return DATASETS[wildcards.dataset]["genome"]


def get_peaks(wildcards):
    return DATASETS[wildcards.dataset]["peaks"]


def get_matrix(wildcards):
    """The file of a matrix; none for an identifier."""
    matrix = DATASETS[wildcards.dataset].get("pwm", "")
    return [] if not matrix or JASPAR_ID.fullmatch(matrix) else matrix


def get_site_settings(wildcards):
    return as_flags(
        {
            "pwm": DATASETS[wildcards.dataset].get("pwm"),
            "peak_format": config["encode"].get("peak_format"),
            "skip_invalid": config["encode"].get("skip_invalid"),
        }
    )


def get_model_settings(wildcards):
    if wildcards.model in GRIDS:
        return GRIDS[wildcards.model][wildcards.candidate]
    return MODELS[wildcards.model]


def get_train_runtime(wildcards, attempt):
    """Minutes; an ensemble trains its networks one after another."""
    return 480 * attempt * (get_model_settings(wildcards).get("seeds") or 1)


def get_train_settings(wildcards):
    settings = get_model_settings(wildcards)
    return as_flags(
        settings | {"fold": wildcards.holdout.removeprefix(".fold") or None}
    )


def get_candidates(wildcards):
    return expand(
        "results/candidates/{dataset}.{model}{holdout}/{candidate}.keras",
        **dict(wildcards.items()),
        candidate=GRIDS[wildcards.model],
    )


WITH_PEAKS = [name for name, row in DATASETS.items() if "peaks" in row]
SCORED = [name for name, row in DATASETS.items() if "predict" in row]
IN_CENTIMORGANS = [
    name
    for name, row in POPULATIONS.items()
    if "mutation_rate" in row or "genetic_length" in row
]
WITH_TRUTH = [name for name, row in POPULATIONS.items() if "truth" in row]


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
    files = ("vcf", "mask", "samples", "ploidy", "par")
    inputs = {column: row.get(column) for column in files}
    if "genetic_length" in row and not is_number(row["genetic_length"]):
        inputs["genetic_length"] = row["genetic_length"]
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
        "inbreeding": row.get("inbreeding"),
        "genetic_length": (
            row.get("genetic_length")
            if is_number(row.get("genetic_length", ""))
            else None
        ),
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
    scored = {**every, "dataset": SCORED}
    has_test = [name for name, row in DATASETS.items() if has_test_part(config, row)]
    tested = {**every, "dataset": has_test}
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
        "map_evaluations": expand(
            "results/recombination/{population}/evaluation/metrics.json",
            population=WITH_TRUTH,
        ),
        "maps": expand(
            "results/recombination/{population}/map.tsv", population=POPULATIONS
        ),
        "metrics": expand(
            "results/evaluation/{dataset}.{model}/metrics.json", **tested
        ),
        "sites": expand(
            "results/sites/{dataset}/metrics.json",
            dataset=[name for name in WITH_PEAKS if name in has_test],
        ),
        "predictions": expand("results/predictions/{dataset}.{model}.tsv.gz", **scored),
    }


def get_unfinished(dag):
    """Of what the page shows, the files whose jobs did not finish, within results/; None if no page was asked for.

    They may be there nevertheless, from an earlier run of other inputs.
    """
    left = {str(path) for job in dag.needrun_jobs() for path in job.output}
    if "results/report.html" not in left:
        return None
    shown = [path for paths in get_report_inputs(None).values() for path in paths]
    return [path.removeprefix("results/") for path in shown if path in left]
