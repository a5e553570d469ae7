"""Read and check the config and the sheets: what is wrong is said in one line, before any job starts."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import os
import re
import stat
import unicodedata
from functools import cache, wraps
from itertools import product
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from snakemake.exceptions import WorkflowError

from tfbind.binding.encoding.table_lines import states_test
from tfbind.errors import TfbindError, one_line
from tfbind.networks.spec import ARCHITECTURES, check_options

SCHEMAS = Path(__file__).parent / "schemas"

COLUMNS = {
    "datasets": [
        *("name", "positives", "negatives", "peaks", "genome", "pwm", "table"),
        *("validation_positives", "validation_negatives", "test_positives", "test_negatives"),
        *("validation_table", "test_table", "predict"),
    ],
    "populations": [
        *("name", "vcf", "mask", "truth", "mutation_rate"),
        *("samples", "diversity", "unphased", "genetic_length", "inbreeding", "ploidy", "par"),
    ],
}
# characters of what is shown of a text from a file, and of the values that name a candidate
MAX_SHOWN = 60
MAX_CANDIDATE = 200
# of the columns, those that hold no path
NOT_FILES = {"mutation_rate", "diversity", "unphased", "inbreeding"}
# in place of a file of the matrix
JASPAR_ID = re.compile(r"[A-Za-z]{2}\d{4}(\.\d+)?")
# of the settings of retraining, the files
SIMULATION_FILES = ("demography", "rate_map", "prior")


def on_one_line(function):
    """Keep the errors of a function to one line that any terminal shows, whatever they quote."""

    @wraps(function)
    def checked(*args):
        try:
            return function(*args)
        except WorkflowError as error:
            raise WorkflowError(one_line(str(error))) from None

    return checked


@cache
def schema(name):
    """The checker of a schema, read once however many rows it checks."""
    with open(SCHEMAS / f"{name}.schema.yaml", encoding="utf-8") as handle:
        return Draft202012Validator(yaml.safe_load(handle))


def check(data, name, where):
    """Check data against a schema; what is wrong is said in one line."""
    error = best_match(schema(name).iter_errors(data))
    if error is not None:
        raise WorkflowError(explain(error, where))


def explain(error, where):
    """Say what jsonschema found, and what the schema's description expected."""
    while "description" not in error.schema and error.parent is not None:
        error = error.parent
    key, problem = list(error.absolute_path), error.schema.get("description")
    if error.validator == "additionalProperties":
        known = list(error.schema["properties"])
        key.append(next(name for name in error.instance if name not in known))
        similar = difflib.get_close_matches(str(key[-1]), known, n=1)
        hint = f"did you mean {similar[0]}" if similar else f"expected {', '.join(known)}"
        problem = f"no such key, {hint}"
    elif error.validator == "required":
        key.append(next(k for k in error.validator_value if k not in error.instance))
        description = error.schema["properties"][key[-1]]["description"]
        problem = f"is missing, expected {description}"
    elif error.validator not in ("anyOf", "dependentRequired", "not"):
        problem = f"found {shortened(repr(error.instance))}, expected {problem}"
    return " ".join(": ".join(filter(None, [where, shortened(".".join(map(str, key))), problem])).split())


@on_one_line
def read_config(config):
    """Check the config and the sheets that it names.

    Returns
    -------
    (datasets, models, populations)
        Name to settings: rows of the sheets, and of the models those that are not switched off.
    """
    check_folder()
    check(config, "config", "config")
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
    models = read_models(config, rows["datasets"])
    return rows["datasets"], models, rows.get("populations", {})


def read_models(config, datasets):
    """Check what concerns data sets; give the models that are not switched off."""
    models = {name: row for name, row in config["models"].items() if row is not None}
    if not models:
        raise WorkflowError("config: models: every model is null (switched off), expected one at least")
    for name, settings in models.items():
        check_model(f"config: models.{name}", settings, config["encode"])
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
    if encode.get("split_by") and encode.get("test_contigs"):
        raise WorkflowError(
            "config: encode: found split_by and test_contigs, expected one of them or neither: "
            "both say how records are dealt to parts"
        )
    if encode.get("validation_contigs") and not encode.get("test_contigs"):
        raise WorkflowError(
            "config: encode: found validation_contigs without test_contigs, expected test_contigs beside them"
        )
    tested = [name for name, row in datasets.items() if has_test_part(config, row)]
    if not config.get("folds", None) and not tested:
        if any(map(states_parts, datasets.values())):
            raise WorkflowError(
                f"{config['datasets']}: found no test part of any data set and no folds, nothing could be evaluated: "
                "expected test_positives or test_table in a row, test in the column split of a table, or folds"
            )
        raise WorkflowError(
            "config: encode.split: found no test part and no folds, nothing could be evaluated: "
            "expected a last part above 0, or folds"
        )
    files = {f"encode.{k}": encode.get(k) for k in ("exclude", "background")}
    check_files_exist(files, "config")
    return models


def check_model(where, settings, encode):
    """Check each combination of a model's values."""
    kmers = encode.get("encoding", None) == "kmer"
    for name, chosen in spread(settings).items():
        if len(name) > MAX_CANDIDATE:
            raise WorkflowError(
                f"{where}: the listed values make a name of {len(name)} characters, expected at most {MAX_CANDIDATE}:"
                " list fewer settings"
            )
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
            raise WorkflowError(f"config: recombination.retrain: found {key} without {needed}, expected both")
    for key in ("units", "layers"):
        if retrain.get("start") and retrain.get(key):
            raise WorkflowError(
                f"config: recombination.retrain: found {key} and start, expected one of them:"
                " the network that training goes on from has them"
            )
    files = {f"retrain.{k}": retrain.get(k) for k in SIMULATION_FILES}
    check_files_exist({"model": model} | files, "config: recombination")


def has_held_out_files(row):
    """Whether a data set has files of the validation or the test part; the rest is then its training part."""
    return any(column.startswith(("validation_", "test_")) for column in row)


@cache
def test_in_table(path):
    """Whether the column split of a table has a test record, or None if it states no part; a table is read once."""
    try:
        return states_test(Path(path))
    except TfbindError as error:
        raise WorkflowError(str(error)) from None


def states_parts(row):
    """Whether a data set comes with its parts, so that nothing of the config deals them."""
    return has_held_out_files(row) or ("table" in row and test_in_table(row["table"]) is not None)


def has_test_part(config, row):
    """Whether anything of a data set is held out of all training, the folds of a cross-validation included."""
    if has_held_out_files(row):
        return "test_positives" in row or "test_table" in row
    if states_parts(row):
        return test_in_table(row["table"])
    split = config["encode"].get("split", None)
    return bool(config["encode"].get("test_contigs", None) or not split or split[2] > 0)


@on_one_line
def read_sheet(path, kind):
    """Read a sheet, of data sets or of populations: name -> its filled cells by column.

    CRLF, a byte order mark, UTF-16 as of a spreadsheet's "Unicode text", blank lines and empty cells cut off at a
    line's end are all fine.
    """
    rows, lines = {}, {}
    reader = csv.reader(
        io.StringIO(sheet_text(path), newline=""), delimiter="\t", quoting=csv.QUOTE_NONE, strict=True
    )
    try:
        columns = [column.strip() for column in next(reader, [])]
        check_columns(columns, COLUMNS[kind], f"{path}: line 1")
        for cells in reader:
            where = f"{path}: line {reader.line_num}"
            row = filled_cells(cells, columns, where)
            if not row:
                continue
            check(row, kind, where)
            name = row.pop("name")
            if name in rows:
                raise WorkflowError(
                    f"{where}: name: found {name!r} again (first on line {lines[name]}), expected each name once"
                )
            files = {k: v for k, v in row.items() if k not in NOT_FILES}
            if JASPAR_ID.fullmatch(row.get("pwm", "")):
                del files["pwm"]
            if is_number(row.get("genetic_length", "")):
                del files["genetic_length"]
            check_files_exist(files, where)
            rows[name], lines[name] = row, reader.line_num
    except csv.Error as error:
        raise WorkflowError(
            f"{path}: line {reader.line_num}: not a table of tab-separated cells ({error})"
        ) from None
    if not rows:
        one = {"datasets": "data set", "populations": "population"}[kind]
        raise WorkflowError(f"{path}: found no {one}, expected a row for each")
    return rows


def is_number(cell):
    """Whether a cell is a number in place of a file that holds several."""
    try:
        return 0 < float(cell) < float("inf")
    except ValueError:
        return False


def sheet_text(path):
    """Read a sheet as text: UTF-8, or UTF-16 if its byte order mark says so."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise WorkflowError(f"{path}: {error.strerror}") from None
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return data.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise WorkflowError(f"{path}: line {line}: not UTF-8 text, expected a sheet saved as UTF-8") from None


def filled_cells(cells, columns, where):
    """Column to cell of a line; nothing of a blank one."""
    cells = [cell.strip() for cell in cells]
    if any(cells[len(columns) :]):
        raise WorkflowError(f"{where}: found {len(cells)} cells, expected {len(columns)}")
    row = {column: cell for column, cell in zip(columns, cells, strict=False) if cell}
    for column, cell in row.items():
        if has_controls(cell):
            raise WorkflowError(f"{where}: {column}: found {cell!r}, expected no control character")
    return row


def check_columns(columns, known, where):
    expected = f"expected {', '.join(known)}, separated by tabs"
    for column in columns:
        if column not in known:
            raise WorkflowError(f"{where}: no such column: {shortened(column)!r}, {expected}")
        if columns.count(column) > 1:
            raise WorkflowError(f"{where}: column {column} is there twice, {expected}")
    if "name" not in columns:
        raise WorkflowError(f"{where}: column name is missing, {expected}")


def check_folder():
    """Refuse a working folder that nothing can be written to; Snakemake keeps its own records there, too."""
    for folder in (Path(), Path("results")):
        if folder.exists() and not os.access(folder, os.W_OK | os.X_OK):
            raise WorkflowError(
                f"{folder.absolute()}: nothing can be written there, but the results go there: choose another"
                " folder with snakemake --directory"
            )


def check_files_exist(files, where):
    """Refuse paths at which there is no file that can be read; empty ones are passed over."""
    for key, path in files.items():
        if path:
            problem = why_no_file(path)
            if problem:
                raise WorkflowError(f"{where}: {key}: {problem}")


def has_controls(text):
    """Whether a text holds line ends or the like, which Snakemake's messages and logs would not survive."""
    return any(unicodedata.category(letter) in ("Cc", "Cs") for letter in text)


def shortened(text):
    """A text from a file, short enough for a message."""
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def why_no_file(path):
    """What keeps a path from being used as a file, or nothing."""
    if has_controls(path):
        return f"found {path!r}, expected no control character"
    if "{" in path or "}" in path:
        return f"found {path!r}, expected no braces, which Snakemake takes as wildcards: rename the file"
    try:
        found = os.stat(path)
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return f"no such file: {path}"
        return f"{error.strerror}: {shortened(path)}"
    if stat.S_ISDIR(found.st_mode):
        return f"is a folder, expected a file: {path}"
    if not stat.S_ISREG(found.st_mode):
        return f"is a pipe or a device, expected a file: {path}"
    return "" if os.access(path, os.R_OK) else f"permission denied: {path}"


def spread(settings):
    """Take each combination of the values that settings list; give name -> settings.

    A name tells the values, not a number: a value more in a list leaves the others' files valid.
    """
    lists = {k: v for k, v in sorted(settings.items()) if isinstance(v, list)}
    chosen = [dict(zip(lists, values, strict=True)) for values in product(*lists.values())]
    names = ["_".join(f"{k}-{v}" for k, v in values.items()) for values in chosen]
    return {
        name.replace(".", "p").replace("+", ""): settings | values
        for name, values in zip(names, chosen, strict=True)
    }


def as_flags(settings):
    """Turn {"max_peaks": 500, "k": None, "perfect": True} into ["--max-peaks", "500", "--perfect"].

    What is null or false is left to tfbind's own defaults.
    """
    flags = []
    for name, value in settings.items():
        if value is None or value is False:
            continue
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            flags.append(flag)
            continue
        text = ",".join(map(str, value if isinstance(value, list) else [value]))
        # what begins with a dash would be read as a flag of its own
        flags += [f"{flag}={text}"] if text.startswith("-") else [flag, text]
    return flags
