"""Predict the recombination rates along a genome from the genotypes of a sample.

The VCF or BCF (plain, gzip or BGZF) may hold haploids, inbred lines, or diploids with a phase or without. SNVs of which
the samples carry two alleles are used. A record that cannot be read is left out and counted. Ten diploids are plenty;
four chromosomes are the fewest. --mutation-rate sets the scale: without it rates are r/mu.

The map tiles each contig from its first record to its last one:

  chrom start end n_sites rate rate_lower rate_upper note

with rates per bp per generation, and the 95% interval of that window's mean. A window without a rate is NA, with a
note: masked, no_sites, or for a whole contig too_few_sites, too_few_samples, clonal, too_short. Rates noted
outside_training are of data unlike any in training, and pseudo_haploid_suspected of calls that look like one random
allele a site. Rates noted rate_at_limit or local_structure are too low, and rates noted ld_unexplained too high. The
rate of a window noted sparse_sites is that of its surroundings. On an X or Z (sex_linked) rates are those of an average
copy, 2/3 of those of the sex that has two. Other notes are pseudoautosomal, and not_recombining for Y, W, MT and
plastids.

Samples are haploid or diploid as the calls show. --ploidy states it instead; the file may hold the lines of bcftools'
files of ploidies and of sexes, and a sample's name may take the place of SEX:

  X  2699521  154931043  M  1      CHROM FROM TO SEX PLOIDY, from 1, both ends included; * is all
  bob  M                           SAMPLE SEX

On its contigs all else is diploid; a ploidy of 0 leaves a sample out there.

Hotspots are windows of 5 kb (or as wide as four common sites, if that is more), joined where they touch, whose rate
is --hotspot-factor times the mean of the surrounding 200 kb. Columns of the BED file: contig, start, end, name, 1000
times the probability that it is one, strand, factor, probability, rate.
"""

from __future__ import annotations

import argparse
import logging
import sys
from logging.handlers import BufferingHandler
from pathlib import Path

from tfbind.cli.arguments import (
    LARGEST,
    OutputFile,
    OutputFolder,
    add_output,
    add_threads,
    positive_float,
    share,
    shortened,
    whole_number,
)
from tfbind.cli.recombination_convert import FORMATS_WRITTEN, add_genetic_length
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

# Near the length at which hotspots merge into a landscape; ten diploids tell windows of this width apart, and
# published maps and benchmarks are often scored at it
RESOLUTIONS = (25_000,)
HOTSPOT_FACTOR = 5.0
# per bp per generation: above any organism's, so a rate in another unit
HIGHEST_MUTATION_RATE = 1e-3


def resolutions(text: str) -> tuple[int, ...]:
    """Argument type: widths of windows, whole numbers separated by commas; sorted, each once."""
    found = {whole_number(part) for part in text.split(",")}
    if min(found) < 1 or max(found) > LARGEST:
        raise argparse.ArgumentTypeError(
            f"found {shortened(text)}, expected whole numbers of at least 1, separated by commas"
        )
    return tuple(sorted(found))


class MapOutput(OutputFile):
    """A map that is written in the format ``form``."""

    form: str


def map_output(text: str) -> MapOutput:
    """Argument type: a format and a file, separated by a colon."""
    form, _, name = text.partition(":")
    if form not in FORMATS_WRITTEN or not name:
        raise argparse.ArgumentTypeError(
            f"found {text!r}, expected FORMAT:FILE with FORMAT one of {', '.join(FORMATS_WRITTEN)}"
        )
    output = MapOutput(name)
    output.form = form
    return output


def file_or_auto(text: str) -> Path | None:
    """Argument type: ``auto``, or a file."""
    return None if text == "auto" else Path(text)


def inbreeding(text: str) -> float | str:
    """Argument type: ``auto``, or a number of at least 0 and below 1."""
    if text == "auto":
        return text
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(
            f"found {text!r}, expected auto, or a number of at least 0 and below 1"
        )
    return value


def register_parser(actions: argparse._SubParsersAction) -> None:
    """Add the action ``predict``."""
    parser = actions.add_parser(
        "predict",
        help="make a recombination map from a VCF",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--vcf", type=Path, required=True, metavar="FILE", help="VCF or BCF with genotypes")
    parser.add_argument(
        "--model", type=Path, metavar="FILE.keras", help="default: the network that tfbind ships"
    )
    parser.add_argument(
        "--samples", type=Path, metavar="FILE", help="the samples to use, a name on each line (default: all)"
    )
    parser.add_argument("--mask", type=Path, metavar="FILE.bed", help="accessible intervals (default: all)")
    parser.add_argument(
        "--mutation-rate",
        type=positive_float,
        metavar="X",
        help="per bp per generation, for example 1.25e-8 in humans; rates scale in proportion",
    )
    add_genetic_length(parser)
    parser.add_argument(
        "--diversity",
        type=share,
        metavar="X",
        help="pairwise differences per bp; needed where the sites were chosen, as on a chip (default: measured)",
    )
    parser.add_argument(
        "--inbreeding",
        type=inbreeding,
        metavar="auto|F",
        help="for a population that selfs: divide rates by 1 - F, with the inbreeding coefficient F given or measured",
    )
    parser.add_argument(
        "--ploidy",
        type=file_or_auto,
        metavar="auto|FILE",
        help="haploid and diploid samples by contig, as above (default auto: found from the calls)",
    )
    parser.add_argument(
        "--par",
        type=Path,
        metavar="FILE.bed",
        help="pseudoautosomal regions, where all samples are diploid; each is mapped apart from the rest",
    )
    parser.add_argument(
        "--pseudo-haploid",
        action="store_true",
        help="say that each call is one allele drawn at random, as of ancient DNA; no map can be made of such data",
    )
    parser.add_argument(
        "--strict", action="store_true", help="refuse a file with a record that cannot be read"
    )
    parser.add_argument(
        "--unphased", action="store_true", help="do not use the phase, as where it is not to be trusted"
    )
    parser.add_argument(
        "--resolution",
        type=resolutions,
        default=RESOLUTIONS,
        metavar="BP[,BP...]",
        help="widths of windows; several give a column scale (default 25000)",
    )
    parser.add_argument(
        "--hapmap",
        type=OutputFolder,
        metavar="DIR",
        help="also write CONTIG.txt there, HapMap format, at the finest resolution (rate 0 in gaps, which"
        " CONTIG.gaps.bed lists); needs --mutation-rate or --genetic-length",
    )
    parser.add_argument(
        "--bedgraph",
        type=OutputFile,
        metavar="FILE.bg",
        help="also write cM/Mb, or r/mu, at the finest resolution",
    )
    parser.add_argument(
        "--map",
        type=map_output,
        action="append",
        default=[],
        metavar="FORMAT:FILE",
        help=f"also write the finest resolution for other programs; FORMAT is one of {', '.join(FORMATS_WRITTEN)}"
        " (see tfbind recombination convert --help); needs --mutation-rate or --genetic-length; may be repeated",
    )
    parser.add_argument("--hotspots", type=OutputFile, metavar="FILE.bed", help="also write hotspots")
    add_hotspot_factor(parser)
    parser.add_argument(
        "--notes", type=OutputFile, metavar="FILE.json", help="also write the warnings, a list"
    )
    add_threads(parser)
    add_output(parser, "the map, a table; compressed if it ends in .gz", "FILE.tsv")
    parser.set_defaults(run=run)


def add_hotspot_factor(parser: argparse.ArgumentParser) -> None:
    """Add ``--hotspot-factor``."""
    parser.add_argument(
        "--hotspot-factor",
        type=positive_float,
        default=HOTSPOT_FACTOR,
        metavar="X",
        help="times the surroundings' rate (default %(default)g)",
    )


def run(args: argparse.Namespace) -> None:
    """Predict and write; keep what is warned about on the way."""
    warned = BufferingHandler(sys.maxsize)
    warned.setLevel(logging.WARNING)
    logging.getLogger("tfbind").addHandler(warned)
    try:
        _predict(args)
    finally:
        logging.getLogger("tfbind").removeHandler(warned)
    if args.notes:
        from tfbind.tables import write_json

        write_json(args.notes, [record.getMessage() for record in warned.buffer])


def _predict(args: argparse.Namespace) -> None:
    _check(args)
    from tfbind.genotypes.mask import read_mask
    from tfbind.genotypes.ploidy import Ploidies, read_ploidies
    from tfbind.recombination.mapping.genetic_length import scale_to_lengths
    from tfbind.recombination.mapping.hotspots import write_hotspots
    from tfbind.recombination.mapping.prediction import predict_map
    from tfbind.recombination.mapping.rate_model import load_rate_model
    from tfbind.recombination.maps.conversion import read_genetic_lengths
    from tfbind.recombination.maps.files import write_hapmap_folder
    from tfbind.recombination.maps.reading import steps_by_contig
    from tfbind.recombination.maps.table import finest, write_bedgraph, write_map
    from tfbind.recombination.maps.writing import write_map_as

    lengths = read_genetic_lengths(args.genetic_length) if args.genetic_length else None
    predicted = predict_map(
        args.vcf,
        load_rate_model(args.model, threads=args.threads),
        args.resolution,
        samples=args.samples,
        mask=read_mask(args.mask) if args.mask else None,
        mutation_rate=args.mutation_rate,
        diversity=args.diversity,
        unphased=args.unphased,
        hotspot_factor=args.hotspot_factor if args.hotspots else None,
        inbreeding=args.inbreeding,
        strict=args.strict,
        ploidies=Ploidies(
            read_ploidies(args.ploidy) if args.ploidy else None,
            read_mask(args.par) if args.par else None,
        ),
    )
    if lengths is not None:
        predicted = scale_to_lengths(
            predicted,
            lengths,
            per_mutation=args.mutation_rate is None,
            source=str(args.genetic_length),
            map_source=str(args.vcf),
        )
    per_mutation = args.mutation_rate is None and lengths is None
    for output in args.map:
        write_map_as(output.form, output, steps_by_contig(finest(predicted.table)))
    if args.hapmap:
        write_hapmap_folder(args.hapmap, predicted.table)
    if args.bedgraph:
        write_bedgraph(args.bedgraph, predicted.table, per_mutation=per_mutation)
    if args.hotspots:
        write_hotspots(args.hotspots, predicted.hotspots)
        logger.info("%s: %s hotspots", args.hotspots, f"{len(predicted.hotspots):,}")
    write_map(args.output, predicted.table, per_mutation=per_mutation)


def _check(args: argparse.Namespace) -> None:
    if args.pseudo_haploid:
        raise TfbindError(
            "--pseudo-haploid: no map can be made of one random allele a site: neighboring alleles are of different"
            " chromosomes half of the time, as if they recombined; give diploid genotypes, such as imputed ones"
        )
    if args.mutation_rate is None and args.genetic_length is None:
        for option in ("hapmap", "map"):
            if getattr(args, option):
                raise TfbindError(
                    f"--{option} is given without --mutation-rate or --genetic-length; centimorgans need one of them"
                )
        logger.warning("rates will be r/mu, as no --mutation-rate is given")
    elif args.mutation_rate is not None and args.mutation_rate > HIGHEST_MUTATION_RATE:
        raise TfbindError(
            f"--mutation-rate: found {args.mutation_rate:g}, expected a number per bp per generation, for example"
            " 1.25e-8"
        )
