"""Learn what a genome's sequence looks like, and draw sequences that look like it.

tfbind background fit learns the next base, with a recurrent network that reads both strands; tfbind background
sample draws sequences from it; tfbind encode --negative-method background takes such sequences for negatives.
Whether they train better models than shuffles do has not been measured.
"""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

from tfbind.background.options import FITTING, BackgroundOptions
from tfbind.cli.arguments import (
    add_output,
    add_seed,
    add_threads,
    positive_float,
    positive_int,
    prepare_model,
)
from tfbind.networks.spec import CELLS

FIT = """Learn the next base of a genome with a stacked, one-way recurrent network.

Blocks of 10,000 bases (smaller ones of a small genome) are held out whole, a twentieth of the genome as validation,
which chooses the epoch, and a twentieth as test. Beside the model FILE.keras go FILE.history.tsv (one row an epoch;
losses are bits per base) and FILE.summary.json with the bits per base, on the same bases of the test part, of the
network and of Markov models of order 0, 3 and 5. Soft-masked bases are read like others; N ends a stretch. After
every epoch a checkpoint is written, from which --resume continues.
"""
SAMPLE = """Draw sequences from a model of tfbind background fit.

The sequences are called background_1, background_2, ...; the same seed gives the same ones, and the first N or the
first L bases of each do not change where more are asked for.
"""


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``background``."""
    parser = subparsers.add_parser(
        "background",
        help="learn a genome's next base; draw sequences",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, help="fit or sample")
    _register_fit(actions)
    _register_sample(actions)


def _register_fit(actions: argparse._SubParsersAction) -> None:
    default = BackgroundOptions()
    parser = actions.add_parser(
        "fit",
        help="learn the next base of a genome",
        description=FIT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("genome", type=Path, metavar="GENOME.fa", help="FASTA, plain, gzip or BGZF")
    network = parser.add_argument_group("network")
    network.add_argument("--cell", choices=CELLS, default=default.cell, help="default %(default)s")
    for name, help in (("units", "units of a layer"), ("layers", "recurrent layers")):
        network.add_argument(
            f"--{name}",
            type=positive_int,
            default=getattr(default, name),
            metavar="N",
            help=f"{help} (default %(default)s)",
        )
    fitting = parser.add_argument_group("fitting")
    for name, value, help in (
        ("window", default.window, "bases that training reads at a time"),
        ("epoch-bases", default.epoch_bases, "bases that an epoch shows at most"),
        ("epochs", FITTING.epochs, "at most"),
        ("batch-size", FITTING.batch_size, "windows a step"),
        ("patience", FITTING.patience, "stop after so many epochs without a lower validation loss"),
    ):
        fitting.add_argument(
            f"--{name}", type=positive_int, default=value, metavar="N", help=f"{help} (default %(default)s)"
        )
    fitting.add_argument(
        "--learning-rate",
        type=positive_float,
        default=FITTING.learning_rate,
        metavar="X",
        help="default %(default)s",
    )
    fitting.add_argument(
        "--resume",
        action="store_true",
        help="continue from the checkpoint of an interrupted training, if there is one, else start",
    )
    add_seed(parser)
    add_threads(parser, "; another number gives other weights, equally good")
    add_output(parser, "the model", "FILE.keras")
    parser.set_defaults(run=run_fit)


def _register_sample(actions: argparse._SubParsersAction) -> None:
    parser = actions.add_parser(
        "sample",
        help="draw sequences",
        description=SAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("model", type=Path, metavar="MODEL.keras", help="from tfbind background fit")
    parser.add_argument("--n", type=positive_int, required=True, metavar="N", help="how many sequences")
    parser.add_argument("--length", type=positive_int, required=True, metavar="L", help="bases of each")
    parser.add_argument(
        "--temperature",
        type=positive_float,
        default=1.0,
        metavar="T",
        help="below 1: likely bases become likelier; above 1: all become more alike (default 1)",
    )
    add_seed(parser)
    add_threads(parser)
    add_output(parser, "FASTA", "FILE.fa")
    parser.set_defaults(run=run_sample)


def run_fit(args: argparse.Namespace) -> None:
    """Fit a background model."""
    prepare_model(args.output, ".history.tsv", ".summary.json")
    from tfbind.background.fitting import fit_background

    fit_background(
        args.genome,
        args.output,
        options=BackgroundOptions(
            **{field.name: getattr(args, field.name) for field in fields(BackgroundOptions)}
        ),
        fitting=replace(
            FITTING, **{f.name: getattr(args, f.name) for f in fields(FITTING) if hasattr(args, f.name)}
        ),
        threads=args.threads,
        resume=args.resume,
    )


def run_sample(args: argparse.Namespace) -> None:
    """Draw sequences."""
    from tfbind.background.sampling import write_samples

    write_samples(
        args.model,
        args.output,
        n=args.n,
        length=args.length,
        temperature=args.temperature,
        seed=args.seed,
        threads=args.threads,
    )
