"""Judge a model on sequences that it has never seen, or on whole contigs of a genome.

On sequences (--tensors, or --positives and --negatives), it writes metrics.json, predictions.tsv, notes.json, and roc,
pr and calibration as .tsv and .svg. Sequences that the model was trained or validated on, on either strand, are
refused. So are sequences that overlap those, if they are more than 1%; fewer are left out.

On contigs (--genome, --peaks and --contigs), sites are called as by tfbind predict --sites and compared with the peaks.
It writes metrics.json (sites, pwm, models), sites.tsv.gz, notes.json, and pr and offsets as .tsv and .svg. Contigs that
a model was trained on are refused. Several models can be given, and a matrix to compare them with:

  tfbind evaluate --model m.keras --genome g.fa --peaks p.bed --contigs IV,VII --pwm reb1.jaspar -o DIR
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import (
    add_output_folder,
    add_peak_format,
    add_seed,
    add_threads,
    names,
    number_of_factor,
    positive_int,
)
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
    parser.add_argument(
        "--model",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE.keras",
        help="from tfbind train; several with --genome",
    )
    inputs = parser.add_argument_group(
        "input: --tensors; or --positives and --negatives; or --genome, --peaks and --contigs"
    )
    inputs.add_argument("--tensors", type=Path, metavar="FILE.h5", help="from tfbind encode")
    inputs.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="test",
        help="its part (default test; of the file that a model of a fold was trained on, that fold)",
    )
    inputs.add_argument("--positives", type=Path, metavar="FASTA", help="bound sequences")
    inputs.add_argument("--negatives", type=Path, metavar="FASTA", help="unbound sequences")
    inputs.add_argument("--genome", type=Path, metavar="FASTA", help="genome to scan contigs of")
    inputs.add_argument(
        "--peaks", type=Path, metavar="BED", help="its peaks, in any format that tfbind encode reads"
    )
    add_peak_format(inputs)
    inputs.add_argument(
        "--contigs",
        type=names,
        metavar="NAMES",
        help="held-out contigs, separated by commas (default: those of the test part of --tensors)",
    )
    on_contigs = parser.add_argument_group("on contigs")
    on_contigs.add_argument(
        "--skip-invalid", action="store_true", help="leave out and count lines that are not peaks"
    )
    on_contigs.add_argument(
        "--pwm",
        metavar="ID|FILE",
        help="scan with this matrix, too: a file in JASPAR or MEME format, a matrix that tfbind ships, or any JASPAR"
        " identifier (needs pyjaspar)",
    )
    on_contigs.add_argument(
        "--factor", metavar="NAME", help="whose peaks they are, for models of several factors"
    )
    on_contigs.add_argument(
        "--tolerance",
        type=positive_int,
        metavar="BP",
        help="distance of a right site's summit from its peak at the most (default 50)",
    )
    on_contigs.add_argument(
        "--site-distance",
        type=positive_int,
        metavar="BP",
        help="bases between two sites at the least (default: the most of what the models would take)",
    )
    on_contigs.add_argument(
        "--stride",
        type=positive_int,
        metavar="N",
        help="bases from window to window of the scan (default: a tenth of the model's length)",
    )
    parser.add_argument(
        "--allow-overlap",
        action="store_true",
        help="evaluate sequences or contigs that a model has seen, too",
    )
    add_seed(parser)
    add_threads(parser)
    add_output_folder(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Evaluate and write the folder."""
    sequences = (args.positives, args.negatives)
    on_genome = bool(args.genome or args.peaks)
    contigs = (args.genome, args.peaks, args.contigs or (args.tensors if on_genome else None))
    given = [bool(args.tensors) and not (on_genome and not args.contigs), any(sequences), any(contigs)]
    if sum(given) != 1 or (any(sequences) and not all(sequences)) or (any(contigs) and not all(contigs)):
        raise TfbindError(
            "expected either --tensors, or --positives and --negatives, or --genome, --peaks and --contigs (or, for the"
            " contigs of its test part, --tensors)"
        )
    if any(contigs):
        if args.split != "test":
            raise TfbindError("--split goes with --tensors alone: of a genome, the test contigs are scanned")
        _evaluate_contigs(args)
        return
    for option in ("pwm", "factor", "tolerance", "site_distance", "stride"):
        if getattr(args, option) is not None:
            raise TfbindError(f"--{option.replace('_', '-')} goes with --genome, --peaks and --contigs")
    if args.skip_invalid:
        raise TfbindError("--skip-invalid goes with --peaks")
    if args.peak_format != "auto":
        raise TfbindError("--peak-format goes with --peaks")
    if len(args.model) > 1:
        raise TfbindError(
            "several models are evaluated together on --genome only; here give one, and compare them by tfbind compare"
        )
    from tfbind.binding.evaluation.measure import (
        evaluate,
        examples_from_fasta,
        examples_from_tensors,
        refuse_seen,
    )
    from tfbind.binding.model.model import BindingModel
    from tfbind.report.evaluation import write_evaluation

    model = BindingModel(args.model[0], threads=args.threads)
    if args.tensors:
        examples = examples_from_tensors(args.tensors, args.split, model)
    else:
        examples = examples_from_fasta(args.positives, args.negatives, model)
    source = str(args.tensors) if args.tensors else f"{args.positives} and {args.negatives}"
    examples = refuse_seen(examples, model, source, allow=args.allow_overlap)
    write_evaluation(args.output, evaluate(model, examples, args.seed))


def _evaluate_contigs(args: argparse.Namespace) -> None:
    from tfbind.binding.evaluation.genome_sites import (
        PWM,
        TOLERANCE,
        evaluate_sites,
        nothing_scanned,
        read_truth,
    )
    from tfbind.binding.evaluation.site_calibration import contigs_of_test_part
    from tfbind.binding.model.model import BindingModel
    from tfbind.binding.scanning.sites import default_distance
    from tfbind.dna.genome import Genome
    from tfbind.dna.matrices import find_matrix
    from tfbind.report.site_evaluation import write_site_evaluation

    matrix = find_matrix(args.pwm) if args.pwm else None
    stems = [path.stem for path in args.model]
    names_of_models = stems if len(set(stems)) == len(stems) else [str(path) for path in args.model]
    if len(set(names_of_models)) < len(names_of_models) or PWM in names_of_models:
        raise TfbindError(f"--model: expected each model once, and none called {PWM}")
    models = {
        name: BindingModel(path, threads=args.threads)
        for name, path in zip(names_of_models, args.model, strict=True)
    }
    factors = {
        name: number_of_factor(args.factor, model.card.tasks, model.path) for name, model in models.items()
    }
    contigs = args.contigs or contigs_of_test_part(args.tensors)
    if not contigs:
        # the workflow asks for every set of peaks, and not all lie on contigs enough to hold some out
        write_site_evaluation(args.output, nothing_scanned(args.tensors))
        return
    with Genome(args.genome) as genome:
        truth = read_truth(args.peaks, genome, contigs, args.peak_format, skip_invalid=args.skip_invalid)
        evaluation = evaluate_sites(
            models,
            truth,
            factors=factors,
            matrix=matrix,
            stride=args.stride,
            distance=args.site_distance or max(map(default_distance, models.values())),
            tolerance=args.tolerance or TOLERANCE,
            allow_overlap=args.allow_overlap,
        )
    write_site_evaluation(args.output, evaluation)
