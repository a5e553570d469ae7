"""Show what a model has learned: what each base contributes, and the motifs.

Writes into a folder:

  contributions.h5   hyp_scores (n, length, 4), input_seqs (one-hot), id, contig, start, end and logit: the layout that
                     modisco motifs --h5py and finemo extract-regions-bpnet-h5 read
  motifs.tsv         a row a motif: match (no name if its q-value is over .05), q, sites, importance (the AUROC that is
                     lost when its sites are shuffled), gain (what its consensus adds to 100 backgrounds), trusted
  motifs.meme        their frequencies; motifs.npz has contributions, too
  hits.bed           their sites, with the contribution of each in the last column
  logos/             a logo of each: contribution, information and the known matrix, both strands
  summary.json       how many sequences, what was left out and why, and what to make of the motifs

Contributions are in natural logarithms of odds. By in-silico mutagenesis (ism) the contribution of a base is the logit
of the sequence with that base, minus the mean over the four bases. A second method, gradients, is for comparison:
--method ism gradients writes both, and their correlation to summary.json.

  tfbind interpret --model m.keras --tensors tensors.h5 -o motifs
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import (
    add_engine,
    add_output_folder,
    add_peak_format,
    add_seed,
    add_threads,
    number_of_factor,
    positive_int,
)
from tfbind.errors import TfbindError


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``interpret``."""
    parser = subparsers.add_parser(
        "interpret",
        help="contributions of bases, and motifs",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE.keras", help="from tfbind train")
    inputs = parser.add_argument_group("input: --fasta; or --peaks and --genome; or --tensors")
    inputs.add_argument("--fasta", type=Path, metavar="FASTA", help="bound sequences")
    inputs.add_argument(
        "--peaks", type=Path, metavar="BED", help="peaks, in any format that tfbind encode reads"
    )
    add_peak_format(inputs)
    inputs.add_argument("--genome", type=Path, metavar="FASTA", help="the genome that the peaks are in")
    inputs.add_argument("--tensors", type=Path, metavar="FILE.h5", help="from tfbind encode")
    inputs.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="test",
        help="which of its sequences (default test)",
    )
    parser.add_argument("--factor", metavar="NAME", help="which factor, for a model of several")
    parser.add_argument(
        "--method",
        nargs="+",
        choices=("ism", "gradients"),
        default=["ism"],
        metavar="METHOD",
        help="ism (in-silico mutagenesis, the default), gradients (expected gradients, with Keras), or both; motifs are"
        " found by the first one",
    )
    parser.add_argument(
        "--max-sequences",
        type=positive_int,
        default=2000,
        metavar="N",
        help="sequences at most; of more, a random sample is taken (default %(default)s)",
    )
    parser.add_argument(
        "--npz",
        action="store_true",
        help="also write sequences.npz and contributions.npz, (n, 4, length), as modisco motifs -s -a reads them",
    )
    motifs = parser.add_mutually_exclusive_group()
    motifs.add_argument(
        "--motifs",
        type=Path,
        metavar="FILE",
        help="known matrices that name the motifs, MEME or JASPAR format (default: JASPAR, if pyjaspar is installed)",
    )
    motifs.add_argument("--no-motifs", action="store_true", help="contributions only")
    add_seed(parser)
    add_engine(parser)
    add_threads(parser)
    add_output_folder(parser)
    parser.set_defaults(run=run)


def check(args: argparse.Namespace) -> None:
    """Refuse arguments that do not go together."""
    regions = (args.peaks, args.genome)
    given = [bool(args.fasta), any(regions), bool(args.tensors)]
    if sum(given) != 1 or (any(regions) and not all(regions)):
        raise TfbindError("expected one of --fasta, --peaks with --genome, and --tensors")
    if args.split != "test" and not args.tensors:
        raise TfbindError("--split goes with --tensors")
    if args.peak_format != "auto" and not args.peaks:
        raise TfbindError("--peak-format goes with --peaks")
    if len(set(args.method)) < len(args.method):
        raise TfbindError("--method: expected each method once")


def run(args: argparse.Namespace) -> None:
    """Interpret and write the folder."""
    check(args)
    from tfbind.binding.interpretation.known import known_matrices
    from tfbind.binding.interpretation.sequences import from_fasta, from_peaks, from_tensors
    from tfbind.binding.model.model import BindingModel
    from tfbind.report.interpretation import InterpretOptions, write_interpretation

    # what is missing is said before the work that would be lost
    known = [] if args.no_motifs else known_matrices(args.motifs)
    model = BindingModel(args.model, engine=args.engine, precision=args.precision, threads=args.threads)
    factor = number_of_factor(args.factor, model.card.tasks, model.path)
    sample = (args.max_sequences, args.seed)
    if args.tensors:
        chosen = from_tensors(args.tensors, args.split, factor, model, *sample)
    elif args.peaks:
        chosen = from_peaks(args.peaks, args.genome, model, *sample, peak_format=args.peak_format)
    else:
        chosen = from_fasta(args.fasta, model, *sample)
    options = InterpretOptions(
        factor=factor,
        methods=tuple(args.method),
        npz=args.npz,
        motifs=not args.no_motifs,
        known=known,
        seed=args.seed,
        threads=args.threads,
    )
    write_interpretation(args.output, model, chosen, options)
