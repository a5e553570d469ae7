"""Simulate regions with known recombination rates, to train on or to test with.

What is not given is drawn anew for each region from the prior: sample size, demography, diversity, landscape
of rates, and how the region is observed (phase, genotype errors, missing calls and variants, chips). Files
--prior (YAML) change rows of its table, for example

  haplotypes: [20, 40]
  demographies: {constant: 1, growth: 1}
  gene_conversion: 0

An interrupted simulation leaves FILE.h5.partial, and continues with --resume. The same seed gives the same regions,
whatever the threads, and the first N of more.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from tfbind.cli.arguments import (
    OutputFolder,
    add_output,
    add_resume,
    add_seed,
    add_threads,
    positive_float,
    positive_int,
)
from tfbind.errors import TfbindError


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``simulate``."""
    parser = actions.add_parser(
        "simulate",
        help="simulate regions with known rates",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    given = parser.add_argument_group("given instead of drawn")
    given.add_argument(
        "--demography", type=Path, metavar="FILE.yaml", help="demes file; needs --mutation-rate"
    )
    given.add_argument(
        "--deme", metavar="NAME", help="the deme that is sampled, where several live at present"
    )
    given.add_argument(
        "--rate-map",
        type=Path,
        metavar="FILE.txt",
        help="HapMap format; each region lies at a random place of it, and has no gene conversion; needs"
        " --mutation-rate",
    )
    given.add_argument(
        "--mutation-rate", type=positive_float, metavar="X", help="per bp per generation, for example 1.25e-8"
    )
    given.add_argument(
        "--samples", type=positive_int, metavar="N", help="samples of a region: columns of its VCF"
    )
    given.add_argument(
        "--ploidy",
        type=int,
        choices=(1, 2),
        help="haplotypes of a sample (default: 2 with --samples, else drawn)",
    )
    given.add_argument(
        "--prior",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE.yaml",
        help="changes of the table of priors; of a row in several files, the last counts",
    )
    given.add_argument(
        "--perfect",
        action="store_true",
        help="no noise: phased, without errors, every variant and call there",
    )
    parser.add_argument(
        "--length",
        type=positive_int,
        default=1_000_000,
        metavar="BP",
        help="of a region (default %(default)s)",
    )
    parser.add_argument(
        "--replicates", type=positive_int, default=1, metavar="N", help="regions (default %(default)s)"
    )
    parser.add_argument(
        "--vcf-dir",
        type=OutputFolder,
        metavar="DIR",
        help="also write each region as ID.vcf.gz there, and its true rates as ID.txt (HapMap format)",
    )
    add_resume(parser)
    add_seed(parser)
    add_threads(parser)
    add_output(parser, "the regions", "FILE.h5")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    """Read what is given and simulate."""
    for name in ("demography", "rate_map"):
        if getattr(args, name) is not None and args.mutation_rate is None:
            option = name.replace("_", "-")
            raise TfbindError(
                f"--{option} is given without --mutation-rate, expected both: neither tells r/mu alone"
            )
    if args.deme is not None and args.demography is None:
        raise TfbindError(f"--deme {args.deme} is given without --demography, expected a demes file")
    from tfbind.genotypes.demographies import read_demography
    from tfbind.genotypes.prior import read_prior
    from tfbind.genotypes.simulation import Setting, known_stretches
    from tfbind.recombination.learning.simulations import write_simulations
    from tfbind.recombination.maps.reading import read_rate_map

    # it tells of every step of every region
    logging.getLogger("msprime").setLevel(logging.WARNING)
    setting = Setting(
        prior=read_prior(args.prior),
        length=args.length,
        demography=read_demography(args.demography, args.deme) if args.demography else None,
        stretches=known_stretches(read_rate_map(args.rate_map), args.length, str(args.rate_map))
        if args.rate_map
        else None,
        mutation_rate=args.mutation_rate,
        samples=args.samples,
        ploidy=args.ploidy,
        perfect=args.perfect,
    )
    write_simulations(
        setting,
        args.output,
        replicates=args.replicates,
        seed=args.seed,
        threads=args.threads,
        inputs=[path for path in (args.demography, args.rate_map, *args.prior) if path],
        vcf_dir=args.vcf_dir,
        resume=args.resume,
    )
