"""Score sequences: a table of id, start, end, one column a factor, and a note.

A record of the model's length or shorter gives one row, a longer one a row for each window. The note says
that a record was padded, or why a score is NA:

  too_short    under 10 bases
  ambiguous    no unambiguous base
  invalid      a letter that is not a base
  no_contig    the genome does not have the peak's contig
  off_contig   the peak's summit is past the end of its contig
  malformed    the line is not a peak; start and end are NA, too

--strict refuses the last four. More than half of the peaks that are malformed or not on the genome are always refused.
Scores are calibrated probabilities among sequences such as those that the model was trained on. With --uncertainty
columns FACTOR_sd come after all scores: how much the members of an ensemble differ, on the scale of log odds.

--bed writes the calls: windows that score at or above the threshold, merged where those of one record and
factor overlap or touch; columns contig, start, end, factor, score (0 to 1000, of the highest window) and
strand (none, as both share a score), in the order of the input. Best windows and peaks are not merged.

--bigwig writes tracks: the --stride bases in the middle of a window show its score, and where it is NA
nothing is shown.

--sites writes one row a site as narrowPeak: summit to the base, strand, probability and q-value. Sites are local
maxima of the scan; those that are called are looked at again base by base. --fdr 0.2 calls sites up to a q-value of
0.2. FILE.bed.json says what the figures mean.

An interrupted run (Ctrl-C, a time limit, a full disk) leaves FILE.tsv.partial and FILE.tsv.partial.journal. The
same command with --resume continues where it stopped, and ends with the files of an undisturbed run.

--piece 3/20 scores the third of twenty stretches of the windows, a job on a cluster each; tfbind gather joins the
twenty to the table that one run would have written, byte by byte. --scores takes that table and writes what --sites,
--bed and --bigwig ask for, without a scan.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfbind import __version__
from tfbind.cli.arguments import (
    LARGEST,
    OutputFile,
    add_engine,
    add_peak_format,
    add_resume,
    add_threads,
    add_uncertainty,
    positive_int,
    share,
    shortened,
    whole_number,
)
from tfbind.errors import TfbindError
from tfbind.files import sha256

if TYPE_CHECKING:
    from tfbind.binding.model.model import BindingModel
    from tfbind.binding.scanning.finished import Beside
    from tfbind.binding.scanning.windows import Portion


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``predict``."""
    parser = subparsers.add_parser(
        "predict",
        help="score sequences, genomes or peaks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE.keras", help="from tfbind train")
    inputs = parser.add_argument_group("input: --fasta, or --peaks and --genome")
    inputs.add_argument("--fasta", type=Path, metavar="FASTA", help="records of any length")
    inputs.add_argument(
        "--peaks",
        type=Path,
        metavar="BED",
        help="windows around summits: BED, narrowPeak, broadPeak, IDR, MACS .xls, HOMER, or a table with a header",
    )
    add_peak_format(inputs)
    inputs.add_argument("--genome", type=Path, metavar="FASTA", help="the genome that the peaks lie in")
    parser.add_argument(
        "--strict",
        action="store_true",
        help="refuse peaks and letters that do not belong there, instead of writing NA and a note",
    )
    parser.add_argument(
        "--stride",
        type=positive_int,
        metavar="N",
        help="bases from window to window (default: the model's length, or a tenth of it with --sites)",
    )
    parser.add_argument("--best", action="store_true", help="each record's highest window only")
    parser.add_argument("--bed", type=OutputFile, metavar="FILE.bed[.gz]", help="also write the calls")
    parser.add_argument(
        "--bigwig",
        type=OutputFile,
        metavar="FILE.bw",
        help="also write a track; of several factors one each, FILE.FACTOR.bw",
    )
    parser.add_argument(
        "--sites",
        type=OutputFile,
        metavar="FILE.bed[.gz]",
        help="also write the sites, as narrowPeak; of several factors one file each, FILE.FACTOR.bed",
    )
    parser.add_argument(
        "--fdr",
        type=false_share,
        metavar="Q",
        help="highest q-value of a site: the expected share of false ones among all that score as high (default 0.1)",
    )
    parser.add_argument(
        "--site-distance",
        type=positive_int,
        metavar="BP",
        help="bases between the summits of two sites at the least (default: three quarters of the model's length,"
        " or as calibrated)",
    )
    parser.add_argument(
        "--scores",
        type=Path,
        metavar="FILE.tsv[.gz]",
        help="take the scores from this table, which tfbind predict or gather made with the same model and FASTA,"
        " without a scan; goes with --sites, --bed and --bigwig, in place of -o",
    )
    parser.add_argument(
        "--threshold",
        type=threshold,
        metavar="X",
        help="score from which on a window is called, from 0 to 1, or auto: for each factor the one with the best F1"
        " on the training's validation part (default: auto)",
    )
    parser.add_argument(
        "--prevalence",
        type=share,
        metavar="P",
        help="bound share of what is scored, such as 0.001 for a genome's windows"
        " (default: as in training; not for models trained on made-up negatives)",
    )
    parser.add_argument(
        "--piece",
        type=piece,
        metavar="K/N",
        help="only the K-th of N stretches of the windows, for tfbind gather to join",
    )
    add_uncertainty(parser, "the logits that a score is the mean of")
    add_engine(parser)
    parser.add_argument(
        "--batch-size",
        type=positive_int,
        default=512,
        metavar="N",
        help="windows at a time (default %(default)s)",
    )
    add_resume(parser)
    add_threads(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=OutputFile,
        metavar="FILE.tsv[.gz]",
        help="the table; BGZF, which is gzip, where the name ends in .gz or .bgz",
    )
    parser.set_defaults(run=run)


def threshold(text: str) -> float | str:
    """Argument type: a number from 0 to 1, or ``auto``."""
    if text == "auto":
        return text
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a number from 0 to 1, or auto")
    return value


def false_share(text: str) -> float:
    """Argument type: a number above 0 and up to 1."""
    return 1.0 if text == "1" else share(text)


def piece(text: str) -> tuple[int, int]:
    """Argument type: K/N, K from 1 to N."""
    number, _, of = text.partition("/")
    k, n = whole_number(number), whole_number(of)
    if not 1 <= k <= n <= LARGEST:
        raise argparse.ArgumentTypeError(
            f"found {shortened(text)}, expected K/N, such as 3/20 for the third of twenty"
        )
    return k, n


def check(args: argparse.Namespace) -> None:
    """Refuse arguments that do not go together."""
    regions = (args.peaks, args.genome)
    if (args.fasta and any(regions)) or not (args.fasta or all(regions)):
        raise TfbindError("expected either --fasta, or --peaks and --genome")
    if args.peak_format != "auto" and not args.peaks:
        raise TfbindError("--peak-format goes with --peaks")
    if args.peaks and (args.stride or args.best):
        raise TfbindError("a peak has one window, so --stride and --best go with --fasta")
    if args.threshold is not None and not args.bed:
        raise TfbindError("--threshold is for the calls, so it goes with --bed")
    if args.bigwig and (args.peaks or args.best):
        raise TfbindError("a track shows every window, so --bigwig goes with --fasta and without --best")
    if args.sites and (args.peaks or args.best):
        raise TfbindError(
            "sites are looked for in whole sequences, so --sites goes with --fasta and without --best"
        )
    if args.scores:
        made = args.bed or args.bigwig or args.sites
        others = ("peaks", "output", "stride", "piece", "resume", "strict", "uncertainty")
        if not made or any(getattr(args, name) for name in others):
            raise TfbindError(
                "--scores goes with --fasta and --sites, --bed or --bigwig, and without -o, --stride, --piece,"
                " --resume, --strict and --uncertainty"
            )
    elif not args.output:
        raise TfbindError("expected -o, the table to write, or --scores, one that is finished")
    if (args.fdr or args.site_distance) and not args.sites:
        raise TfbindError("--fdr and --site-distance are for the sites, so they go with --sites")
    if args.piece and (args.peaks or args.bed or args.bigwig or args.sites):
        raise TfbindError(
            "a piece may end within a record, so --piece goes with --fasta and without --bed, --bigwig and --sites:"
            " join the pieces with tfbind gather, and give the table to --scores"
        )
    if args.piece and args.output.suffix not in (".gz", ".bgz"):
        raise TfbindError(f"--output of a piece is {args.output}, expected a name that ends in .gz or .bgz")


def fingerprint(args: argparse.Namespace, stride: int | None) -> dict[str, Any]:
    """What the table depends on, but for the engine."""
    from tfbind.resume.table import file_stamp

    inputs = {name: getattr(args, name) for name in ("fasta", "peaks", "genome")}
    options = ("best", "prevalence", "precision", "batch_size")
    return {
        "version": __version__,
        "model": sha256(args.model),
        **{name: file_stamp(path) for name, path in inputs.items() if path},
        "stride": stride,
        **{name: getattr(args, name) for name in options},
        **({"peak_format": args.peak_format} if args.peaks else {}),
        **({"uncertainty": True} if args.uncertainty else {}),
    }


def _beside(args: argparse.Namespace, model: BindingModel, stride: int) -> Beside:
    """Say what to write beside the table."""
    from tfbind.binding.scanning.bigwig import TrackOptions
    from tfbind.binding.scanning.calls import CallOptions, choose_thresholds
    from tfbind.binding.scanning.finished import Beside
    from tfbind.binding.scanning.site_files import SiteOptions
    from tfbind.binding.scanning.sites import FDR, default_distance

    calls = sites = None
    if args.bed:
        number = None if args.threshold == "auto" else args.threshold
        thresholds = choose_thresholds(model, number, args.prevalence)
        one_a_row = args.best or args.peaks is not None
        calls = CallOptions(args.bed, thresholds, one_a_row=one_a_row, genomic=args.peaks is not None)
    if args.sites:
        distance = args.site_distance or default_distance(model)
        sites = SiteOptions(args.sites, args.fasta, stride, distance, args.fdr or FDR, args.prevalence)
    return Beside(calls, TrackOptions(args.bigwig, stride) if args.bigwig else None, sites)


def run(args: argparse.Namespace) -> None:
    """Score and write the table and what was asked for beside it."""
    check(args)
    from tfbind.binding.model.model import BindingModel
    from tfbind.binding.scanning.bigwig import check_names
    from tfbind.binding.scanning.finished import check_best_windows, stride_of_table, write_beside
    from tfbind.binding.scanning.prediction import predict
    from tfbind.binding.scanning.shards import choose_piece
    from tfbind.binding.scanning.sites import default_stride
    from tfbind.binding.scanning.windows import windows_of_fasta, windows_of_peaks

    if args.bigwig:
        check_names(args.fasta)
    model = BindingModel(
        args.model,
        engine=args.engine,
        precision=args.precision,
        threads=args.threads,
        prevalence=args.prevalence,
    )
    if args.uncertainty:
        model.check_uncertainty()
    length = model.card.encoding.length
    given = args.stride or (default_stride(model) if args.sites else None)
    stride = given or length

    if args.scores and args.best:
        check_best_windows(args.scores, model, args.fasta)
    elif args.scores:
        stride = stride_of_table(args.scores, model, args.fasta)
    beside = _beside(args, model, stride)
    if args.scores:
        write_beside(args.scores, model, beside, args.batch_size)
        return

    def windows() -> Iterator[Portion]:
        if args.peaks:
            return windows_of_peaks(
                args.peaks, args.genome, length, peak_format=args.peak_format, strict=args.strict
            )
        return windows_of_fasta(args.fasta, length, stride, strict=args.strict)

    what = fingerprint(args, given)
    predict(
        model,
        windows(),
        args.output,
        best=args.best,
        batch_size=args.batch_size,
        piece=choose_piece(args.piece, windows(), what, best=args.best) if args.piece else None,
        beside=beside,
        uncertainty=args.uncertainty,
        # another run goes on only where these are the same
        fingerprint=what | {"engine": model.engine, "piece": args.piece},
        resume=args.resume,
    )
