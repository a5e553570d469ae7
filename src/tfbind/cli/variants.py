"""Score variants: what each ALT allele of a VCF does to binding.

The table repeats chrom, pos (1-based), id, ref and alt of the VCF, and gives for each factor <factor>_ref
and <factor>_alt, the calibrated probabilities of the reference and of the allele, and <factor>_delta, the
allele's minus the reference's in logits of the calibrated model (natural logarithm of the odds). Both are from the
same window of the model's length and both strands; of the windows that hold the variant, the one with the
largest delta, up or down, decides, for each factor. Its start stays in the alternative: a deletion is filled
up from the right, an insertion pushes out as much there.

Every ALT allele has a row, in the VCF's order. The note says why a score is NA (ref_mismatch: REF disagrees
with the genome; not_a_sequence: <DEL>, *, a breakend, or none; no_contig: not in the genome; ambiguous: no
unambiguous base; too_short: under 10 bases) or that a contig is shorter than the model's length (padded).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.cli.arguments import add_engine, add_output, add_threads, positive_int, share


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``variants``."""
    parser = subparsers.add_parser(
        "variants",
        help="score what variants do to binding",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE.keras", help="from tfbind train")
    parser.add_argument("--genome", type=Path, required=True, metavar="FASTA", help="the variants' reference")
    parser.add_argument(
        "--vcf", type=Path, required=True, metavar="VCF", help="VCF (plain, gzip or BGZF) or BCF"
    )
    parser.add_argument(
        "--stride",
        type=positive_int,
        metavar="N",
        help="bases from window to window; 1 takes every window that holds the variant, the model's length"
        " only the one with it in the middle (default: a third of the model's length, so three windows)",
    )
    parser.add_argument(
        "--prevalence",
        type=share,
        metavar="P",
        help="bound share of what is scored; moves the probabilities, not the deltas"
        " (default: as in training; not for models trained on made-up negatives)",
    )
    add_engine(parser)
    add_threads(parser)
    add_output(parser, "the table; gzip where the name ends in .gz", "FILE.tsv[.gz]")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Score and write the table."""
    from tfbind.binding.model.model import BindingModel
    from tfbind.binding.scanning.variants import score_variants

    model = BindingModel(
        args.model,
        engine=args.engine,
        precision=args.precision,
        threads=args.threads,
        prevalence=args.prevalence,
    )
    score_variants(model, args.vcf, args.genome, args.output, stride=args.stride)
