"""Judge a model on sequences that it has never seen.

Writes into a folder: metrics.json, predictions.tsv, notes.json, and roc, pr and calibration as .tsv and .svg.
Sequences that the model was trained or validated on, on either strand, are refused. So are sequences that overlap
those, if they are more than 1%; fewer are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_output_folder, add_seed, add_threads
from tfbind.errors import TfbindError


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``evaluate``."""
    parser = subparsers.add_parser(
        "evaluate",
        help="ROC, precision-recall and more on unseen sequences",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE.keras", help="from tfbind train")
    inputs = parser.add_argument_group("input: --tensors, or --positives and --negatives")
    inputs.add_argument("--tensors", type=Path, metavar="FILE.h5", help="from tfbind encode")
    inputs.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="test",
        help="its part (default test; of the file that a model of a fold was trained on, that fold)",
    )
    inputs.add_argument("--positives", type=Path, metavar="FASTA", help="bound sequences")
    inputs.add_argument("--negatives", type=Path, metavar="FASTA", help="unbound sequences")
    parser.add_argument(
        "--allow-overlap", action="store_true", help="evaluate sequences that the model has seen, too"
    )
    add_seed(parser)
    add_threads(parser)
    add_output_folder(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Evaluate and write the folder."""
    fasta = (args.positives, args.negatives)
    if (args.tensors and any(fasta)) or not (args.tensors or all(fasta)):
        raise TfbindError("expected either --tensors, or --positives and --negatives")
    from tfbind.binding.evaluation.measure import (
        evaluate,
        examples_from_fasta,
        examples_from_tensors,
        refuse_seen,
    )
    from tfbind.binding.model.model import BindingModel
    from tfbind.report.evaluation import write_evaluation

    model = BindingModel(args.model, threads=args.threads)
    if args.tensors:
        examples = examples_from_tensors(args.tensors, args.split, model)
    else:
        examples = examples_from_fasta(args.positives, args.negatives, model)
    source = str(args.tensors) if args.tensors else f"{args.positives} and {args.negatives}"
    examples = refuse_seen(examples, model, source, allow=args.allow_overlap)
    write_evaluation(args.output, evaluate(model, examples, args.seed))
