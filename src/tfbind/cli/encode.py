"""Encode sequences into an HDF5 tensors file, with negatives and a split that leaks nothing.

One factor: --positives, with --negatives or with negatives made. Peaks: --peaks and --genome.
Several factors: --fasta and --labels (a table: id, then one column a factor with 1, 0 or nothing).
A table: --table (CSV or TSV: sequence, and label or one column a factor; id, split and group may be there).

The parts are dealt at random, by contig, or as you state them: by a column split, or by files of their own.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import fields
from pathlib import Path

from tfbind.binding.options import (
    ENCODINGS,
    GENOME_RATIO,
    MAX_FOLDS,
    MOST_NEGATIVES,
    NEGATIVE_METHODS,
    SPLIT,
    SPLIT_BY,
    SPLIT_BY_CONTIG,
    EncodeOptions,
)
from tfbind.cli.arguments import (
    add_output,
    add_peak_format,
    add_seed,
    add_threads,
    names,
    positive_float,
    positive_int,
)
from tfbind.errors import TfbindError
from tfbind.files import check_output

logger = logging.getLogger(__name__)

MAX_K = 7
PARTS = ("validation", "test")
_SUFFIXES = (
    *(".gz", ".bgz", ".fa", ".fasta", ".fna", ".csv", ".tsv"),
    *(".bed", ".narrowPeak", ".broadPeak", ".gappedPeak", ".xls"),
)


def fractions(text: str) -> tuple[float, float, float]:
    """Argument type: three fractions that sum to 1."""
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        train = validation = test = -1.0
    fit = train > 0 and validation >= 0 and test >= 0 and abs(train + validation + test - 1) < 1e-6
    if not fit:
        raise argparse.ArgumentTypeError(
            f"found {text!r}, expected fractions of train,validation,test that sum to 1, such as 0.8,0.1,0.1"
        )
    return train, validation, test


def _text(split: tuple[float, ...]) -> str:
    return ",".join(f"{fraction:g}" for fraction in split)


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``encode``."""
    default = EncodeOptions()
    parser = subparsers.add_parser(
        "encode",
        help="turn FASTA or peaks into HDF5 tensors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    inputs = parser.add_argument_group("input")
    inputs.add_argument("--positives", type=Path, metavar="FASTA", help="bound sequences")
    inputs.add_argument("--negatives", type=Path, metavar="FASTA", help="unbound sequences (default: made)")
    inputs.add_argument(
        "--peaks",
        type=Path,
        metavar="BED",
        help="BED, narrowPeak, broadPeak, IDR, MACS .xls, HOMER, or a table with a header; needs --genome",
    )
    add_peak_format(inputs)
    inputs.add_argument("--genome", type=Path, metavar="FASTA", help="the genome that the peaks lie in")
    inputs.add_argument("--fasta", type=Path, metavar="FASTA", help="sequences; needs --labels")
    inputs.add_argument(
        "--labels",
        type=Path,
        metavar="TSV",
        help="id, then one column a factor: 1, 0 or nothing; split and group may be there",
    )
    inputs.add_argument(
        "--table",
        type=Path,
        metavar="CSV",
        help="CSV or TSV with a header line: sequence, and label or one column a factor (1, 0 or nothing); also id,"
        " split (train, validation or test) and group (its records stay in one part)",
    )
    inputs.add_argument(
        "--label-columns",
        type=names,
        default=(),
        metavar="NAMES",
        help="of --table, the columns that are labels, if there are others",
    )
    inputs.add_argument("--factor", metavar="NAME", help="name of the factor (default: the file's name)")
    held_out = parser.add_argument_group(
        "files of held-out parts",
        "The other input is then the training part, from which validation is taken if it has no file. Records that"
        " equal or overlap a held-out one are left out of training, and counted.",
    )
    for part in PARTS:
        held_out.add_argument(
            f"--{part}-positives", type=Path, metavar="FASTA", help=f"bound sequences of the {part} part"
        )
        held_out.add_argument(
            f"--{part}-negatives",
            type=Path,
            metavar="FASTA",
            help="unbound sequences (default: made, if --negatives is not given either)",
        )
        held_out.add_argument(f"--{part}-table", type=Path, metavar="CSV", help=f"table of the {part} part")
    wrong = parser.add_argument_group(
        "what does not fit",
        "Peaks that are not on the genome are left out and counted, and refused if they are most. Lines that are not"
        " peaks and letters that are not bases are refused.",
    )
    wrong.add_argument("--strict", action="store_true", help="refuse any peak that is not on the genome")
    wrong.add_argument(
        "--skip-invalid",
        action="store_true",
        help="leave out and count lines that are not peaks, and records with letters that are not bases",
    )
    shape = parser.add_argument_group("records")
    shape.add_argument(
        "--length",
        type=positive_int,
        default=default.length,
        metavar="N",
        help=f"bases a record: longer ones cropped round the centre, shorter padded (default {default.length})",
    )
    shape.add_argument("--encoding", choices=ENCODINGS, default=default.encoding, help="default %(default)s")
    shape.add_argument(
        "--k", type=positive_int, default=default.k, metavar="N", help="k-mer length (default %(default)s)"
    )
    shape.add_argument(
        "--stride",
        type=positive_int,
        default=default.stride,
        metavar="N",
        help="bases from one k-mer to the next (default %(default)s)",
    )
    shape.add_argument("--max-peaks", type=positive_int, metavar="N", help="keep the N strongest peaks")
    negatives = parser.add_argument_group("negatives")
    negatives.add_argument(
        "--negative-method",
        choices=NEGATIVE_METHODS,
        help="windows of the genome matched in G+C content, dinucleotide shuffles, or sequences drawn from"
        " --background (default: genome where one is given, else dinucleotide)",
    )
    negatives.add_argument(
        "--background", type=Path, metavar="BG.keras", help="model of tfbind background fit, for that method"
    )
    negatives.add_argument(
        "--negative-ratio",
        type=positive_float,
        default=default.negative_ratio,
        metavar="X",
        help="negatives made for each positive (default 1; windows of the genome: "
        f"{GENOME_RATIO:g}, as long as they are not more than {MOST_NEGATIVES:,} in all)",
    )
    negatives.add_argument(
        "--exclude",
        type=Path,
        metavar="BED",
        help="regions, such as a blacklist, that no window may touch: neither a peak's nor a negative from the genome,"
        " nor a record of FASTA by the coordinates in its header, such as chr1:1000-1101",
    )
    negatives.add_argument(
        "--keep-excluded-positives",
        action="store_true",
        help="keep peaks, or records of --positives, that touch --exclude",
    )
    parts = parser.add_argument_group("parts")
    parts.add_argument(
        "--split",
        type=fractions,
        default=default.split,
        metavar="A,B,C",
        help=f"fractions of train, validation and test (default {_text(SPLIT)}; by contigs {_text(SPLIT_BY_CONTIG)})",
    )
    parts.add_argument(
        "--split-by",
        choices=SPLIT_BY,
        help="hold out whole contigs, chosen so that they come close to the fractions, or deal records at random"
        " (default: contigs for --peaks, where there are enough of them; else records)",
    )
    parts.add_argument(
        "--test-contigs", type=names, default=(), metavar="NAMES", help="hold these out as test"
    )
    parts.add_argument(
        "--validation-contigs", type=names, default=(), metavar="NAMES", help="hold these out as validation"
    )
    parts.add_argument(
        "--folds",
        type=positive_int,
        metavar="N",
        help="deal all but the test part into N folds, for tfbind train --fold",
    )
    add_seed(parser)
    add_output(parser, "the tensors file; a summary goes beside it", "FILE.h5")
    add_threads(parser)
    parser.set_defaults(run=run)


def factor_name(path: Path) -> str:
    """The file's name without the suffixes that say what format it has."""
    name = path.name
    while suffix := next((suffix for suffix in _SUFFIXES if name.lower().endswith(suffix.lower())), None):
        name = name[: -len(suffix)]
    return name or path.name


def check(args: argparse.Namespace) -> None:
    """Refuse arguments that contradict one another."""
    given = [name for name in ("positives", "peaks", "fasta", "table") if getattr(args, name)]
    if len(given) != 1:
        raise TfbindError(
            f"found {' and '.join(f'--{name}' for name in given) or 'no input'},"
            " expected one of --positives, --peaks (with --genome), --fasta (with --labels) and --table"
        )
    if bool(args.peaks) != bool(args.genome):
        raise TfbindError("--peaks and --genome go together, found only one of them")
    if bool(args.fasta) != bool(args.labels):
        raise TfbindError("--fasta and --labels go together, found only one of them")
    if args.negatives and (not args.positives or args.negative_method):
        raise TfbindError("--negatives goes with --positives, and not with --negative-method")
    if args.negative_method == "genome" and not args.genome:
        raise TfbindError("--negative-method genome needs --peaks and --genome")
    if (args.fasta or args.table) and args.negative_method:
        name = "labels" if args.fasta else "table"
        raise TfbindError(f"--{name} tells what is unbound, so --negative-method has no meaning")
    if args.label_columns and not args.table:
        raise TfbindError("--label-columns goes with --table")
    if args.exclude and args.table:
        raise TfbindError("--exclude goes with FASTA or peaks, found --table")
    _check_parts(args)
    if (args.negative_method == "background") != bool(args.background):
        raise TfbindError("--negative-method background and --background go together, found only one of them")
    if args.keep_excluded_positives and (not args.exclude or args.fasta):
        raise TfbindError("--keep-excluded-positives goes with --exclude, and with --peaks or --positives")
    if args.keep_excluded_positives and args.positives and not args.negatives:
        raise TfbindError(
            "--keep-excluded-positives leaves --exclude nothing to take, as no --negatives are given"
        )
    if args.peak_format != EncodeOptions.peak_format and not args.peaks:
        raise TfbindError("--peak-format goes with --peaks")
    if args.strict and args.skip_invalid:
        raise TfbindError("--strict refuses what --skip-invalid leaves out, expected one of them")
    if args.max_peaks and not args.peaks:
        raise TfbindError("--max-peaks goes with --peaks")
    if args.factor and args.fasta:
        raise TfbindError("--labels names the factors, so --factor has no meaning")
    if args.negative_ratio != EncodeOptions.negative_ratio and (args.negatives or args.fasta or args.table):
        raise TfbindError("--negative-ratio is for negatives that are made, found negatives that are given")
    if args.validation_contigs and not args.test_contigs:
        raise TfbindError("--validation-contigs needs --test-contigs, else nothing would be left to test on")
    if args.split_by == "contigs" and not args.peaks:
        raise TfbindError(
            "--split-by contigs goes with --peaks; --test-contigs holds out contigs of other records"
        )
    if args.split_by and args.test_contigs:
        raise TfbindError("--test-contigs and --split-by both say how parts are dealt, expected one of them")
    if args.folds is not None and not 2 <= args.folds <= MAX_FOLDS:
        raise TfbindError(f"--folds is {args.folds}, expected a whole number from 2 to {MAX_FOLDS}")
    if args.encoding == "kmer":
        if args.k > MAX_K or args.k > args.length:
            raise TfbindError(f"--k is {args.k}, expected at most {MAX_K} and at most --length")
        if args.stride > args.k:
            raise TfbindError(
                f"--stride is {args.stride}, expected at most --k ({args.k}): no base may be passed over"
            )


def _check_parts(args: argparse.Namespace) -> None:
    """Refuse files of held-out parts that do not fit the training part."""
    for part in PARTS:
        positives, negatives, table = (
            getattr(args, f"{part}_{what}") for what in ("positives", "negatives", "table")
        )
        if table and not args.table:
            raise TfbindError(f"--{part}-table goes with --table")
        if (positives or negatives) and not args.positives:
            raise TfbindError(f"--{part}-positives and --{part}-negatives go with --positives")
        if negatives and not positives:
            raise TfbindError(f"--{part}-negatives goes with --{part}-positives")
        if positives and args.negatives and not negatives:
            raise TfbindError(
                f"--negatives are given, but not --{part}-negatives, expected negatives of each part, or of none"
            )
        if (positives or table) and (args.test_contigs or args.validation_contigs):
            raise TfbindError(
                f"found --{part}-{'table' if table else 'positives'} and contigs to hold out, expected one of them"
            )


def run(args: argparse.Namespace) -> None:
    """Encode what the arguments name."""
    check(args)
    check_output(args.output.with_suffix(".summary.json"))
    from tfbind.binding.encoding.from_fasta import HeldOutFiles, encode_fasta
    from tfbind.binding.encoding.from_labels import encode_labelled
    from tfbind.binding.encoding.from_peaks import encode_peaks
    from tfbind.binding.encoding.from_table import encode_table
    from tfbind.dna.splits import TEST, VALIDATION

    numbers = dict(zip(PARTS, (VALIDATION, TEST), strict=True))
    options = EncodeOptions(**{field.name: getattr(args, field.name) for field in fields(EncodeOptions)})
    if args.fasta:
        encode_labelled(args.output, args.fasta, args.labels, options)
    elif args.peaks:
        encode_peaks(args.output, args.peaks, args.genome, args.factor or factor_name(args.peaks), options)
    elif args.table:
        tables = {number: getattr(args, f"{part}_table") for part, number in numbers.items()}
        factors = encode_table(
            args.output,
            args.table,
            args.factor or factor_name(args.table),
            options,
            label_columns=args.label_columns,
            held_out={number: path for number, path in tables.items() if path},
        )
        if args.factor and args.factor not in factors:
            logger.info("%s: the columns of labels name the factors, so --factor is not used", args.table)
    else:
        factor = args.factor or factor_name(args.positives)
        held_out = {
            number: HeldOutFiles(positives, getattr(args, f"{part}_negatives"))
            for part, number in numbers.items()
            if (positives := getattr(args, f"{part}_positives"))
        }
        encode_fasta(args.output, args.positives, args.negatives, factor, options, held_out=held_out)
