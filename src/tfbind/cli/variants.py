"""Score the effect of variants on binding.

Inputs: a model, a genome, and its variants as VCF (plain, gzip or BGZF) or BCF. A VCF without a header is read if its
first five columns are chrom, pos (1-based), id, ref and alt, with tabs between them.

Output: a table with a row for each ALT allele, in the order of the VCF. Its columns are chrom, pos, id, ref and alt
of the VCF, then for each factor
  <factor>_ref    calibrated probability that the reference is bound
  <factor>_alt    calibrated probability that the allele is bound
  <factor>_delta  allele minus reference, in logits (natural logarithm of the odds); negative if binding is lost
and a note. Each probability is of one window of the model's length, both strands. For an SNV, both are of the same
window: of those that hold the variant, the one with the largest difference. For a longer allele, every window that
holds a changed base counts, on either side. Each is compared with the windows of the other side that start or end
at the same place or, where its start or end is itself changed, anywhere in the change. The window that scores
highest above all of its counterparts decides. A long deletion of the only site gets the score of the site minus
the best score of what remains.

The note says why a score is NA
  ref_mismatch    REF is not what the genome has there
  not_a_sequence  ALT is <DEL>, *, a breakend, or missing
  no_contig       the contig is not in the genome
  ambiguous       there is no unambiguous base
  too_short       there are fewer than 10 bases
  too_long        the allele changes more bases than --max-allele
  malformed       the record is not one of a VCF, e.g. its position is not a number (--strict refuses these)
or that a sequence is shorter than the model's length (padded).

Example: tfbind variants --model sp1.keras --genome hg38.fa --vcf variants.vcf.gz -o effects.tsv.gz
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tfbind.binding.options import MAX_ALLELE
from tfbind.cli.arguments import add_engine, add_output, add_threads, add_uncertainty, positive_int, share


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``variants``."""
    parser = subparsers.add_parser(
        "variants",
        help="score the effect of variants on binding",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", type=Path, required=True, metavar="FILE.keras", help="from tfbind train")
    parser.add_argument("--genome", type=Path, required=True, metavar="FASTA", help="the genome of the VCF")
    parser.add_argument(
        "--vcf", type=Path, required=True, metavar="VCF", help="VCF (plain, gzip or BGZF) or BCF"
    )
    parser.add_argument(
        "--stride",
        type=positive_int,
        metavar="N",
        help="bases from window to window; 1 takes every window that holds a changed base (default: a third of the"
        " model's length, so three windows of an SNV and more of a longer allele)",
    )
    parser.add_argument(
        "--max-allele",
        type=positive_int,
        default=MAX_ALLELE,
        metavar="N",
        help="longest allele to score, in changed bases; its cost grows with its length (default %(default)s)",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="stop with an error at a malformed record (default: its rows have the note malformed)",
    )
    parser.add_argument(
        "--prevalence",
        type=share,
        metavar="P",
        help="bound share of the sequences that are scored; it changes the probabilities, not the deltas"
        " (default: as in training; not for models trained on generated negatives)",
    )
    add_uncertainty(parser, "the delta, of the same windows")
    add_engine(parser)
    add_threads(parser)
    add_output(parser, "the table; BGZF if the name ends in .gz", "FILE.tsv[.gz]")
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
    if args.uncertainty:
        model.check_uncertainty()
    score_variants(
        model,
        args.vcf,
        args.genome,
        args.output,
        stride=args.stride,
        max_allele=args.max_allele,
        strict=args.strict,
        uncertainty=args.uncertainty,
    )
