"""Train a network on a tensors file.

Beside the model FILE.keras go FILE.history.tsv (one row an epoch) and FILE.learning.svg. After every epoch a
checkpoint is written, FILE.checkpoint. After an interruption --resume continues from it, and ends as if there had
been none. The checkpoint of other options is kept under another name until these are resumed. A finished training
has no checkpoint, so it is trained again.

--seeds 5 trains five networks and joins them into one model, which every verb takes. Until that is written the
members are in the folder FILE.members; --resume keeps those that are finished. --members joins models that are
trained already:

  tfbind train tensors.h5 --members a.keras b.keras -o both.keras

--start goes on from a trained model, which pays where there are few peaks:

  tfbind train few.h5 --start many.keras -o few.keras
"""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

from tfbind.binding.options import (
    DEFAULT_ARCHITECTURE,
    DEFAULT_KMER_ARCHITECTURE,
    FEW_PEAKS,
    LEARNING_RATES,
    MEMBERS_OF_FEW,
    MOST_MEMBERS,
    START_RATE,
)
from tfbind.cli.arguments import (
    add_output,
    add_seed,
    add_threads,
    positive_float,
    positive_int,
    prepare_model,
    seeds,
)
from tfbind.errors import TfbindError
from tfbind.networks.spec import ARCHITECTURES, CELLS, OPTIONS, options_of
from tfbind.training.options import (
    EPOCHS,
    LEARNING_RATE,
    LEAST_EPOCHS,
    STEPS,
    FitOptions,
)

BESIDE = (".history.tsv", ".learning.svg")


def register_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb ``train``."""
    default = FitOptions()
    parser = subparsers.add_parser(
        "train",
        help="train a network on tensors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("tensors", type=Path, metavar="TENSORS.h5", help="from tfbind encode")
    network = parser.add_argument_group("network (default: as the architecture has it)")
    network.add_argument(
        "--architecture",
        choices=sorted(ARCHITECTURES),
        help=f"default {DEFAULT_ARCHITECTURE}, or {DEFAULT_KMER_ARCHITECTURE} where the tensors are k-mers",
    )
    network.add_argument("--cell", choices=CELLS, help=f"recurrent cell {_without('cell')}")
    for name, help in (
        ("units", "units of a direction of a recurrent layer"),
        ("layers", "recurrent layers"),
    ):
        network.add_argument(f"--{name}", type=positive_int, metavar="N", help=f"{help} {_without(name)}")
    fitting = parser.add_argument_group("fitting")
    fitting.add_argument(
        "--epochs",
        type=positive_int,
        metavar="N",
        help=f"at most (default {EPOCHS}; of gkm- architectures fewer where they would take more than {STEPS:,} steps,"
        f" but not fewer than {LEAST_EPOCHS})",
    )
    fitting.add_argument(
        "--batch-size", type=positive_int, default=default.batch_size, metavar="N", help="default %(default)s"
    )
    fitting.add_argument(
        "--learning-rate",
        type=positive_float,
        metavar="X",
        help=f"at its peak (default {LEARNING_RATE}; "
        + ", ".join(f"{name} {rate}" for name, rate in LEARNING_RATES.items())
        + ")",
    )
    fitting.add_argument(
        "--patience",
        type=positive_int,
        default=default.patience,
        metavar="N",
        help="stop after so many epochs without a lower validation loss (default %(default)s)",
    )
    fitting.add_argument(
        "--fold",
        type=positive_int,
        metavar="N",
        help="hold fold N out, of tensors from tfbind encode --folds, and train on the others",
    )
    fitting.add_argument(
        "--resume",
        action="store_true",
        help="continue from the checkpoint of an interrupted training, if there is one, else start; a model that is"
        " finished, of the same arguments, stays as it is",
    )
    ensemble = parser.add_argument_group(
        "ensembles: several networks in one model, whose logits are averaged"
    )
    ensemble.add_argument(
        "--seeds",
        type=seeds,
        metavar="N|A,B,...",
        help="train N networks, of the seeds from --seed on, or one for each of these seeds, and join them (default 1;"
        f" {MEMBERS_OF_FEW} where the tensors are of fewer than {FEW_PEAKS:,} training peaks of a genome)",
    )
    ensemble.add_argument(
        "--members",
        type=Path,
        nargs="+",
        metavar="MODEL.keras",
        help="join these trained models, in place of training; the validation set of the tensors calibrates them",
    )
    starting = parser.add_argument_group("starting from a trained model")
    starting.add_argument(
        "--start",
        type=Path,
        metavar="OTHER.keras",
        help="go on from this model's weights: it must read the same input; factors that it does not have get a new"
        f" last layer; the default learning rate is {START_RATE} of that from scratch",
    )
    starting.add_argument(
        "--allow-overlap",
        action="store_true",
        help="train even if that model was trained on sequences of the test set of these tensors, or overlapping ones",
    )
    add_seed(parser)
    add_threads(parser, "; another number gives other weights, equally good")
    add_output(parser, "the model", "FILE.keras")
    parser.set_defaults(run=run)


def _without(option: str) -> str:
    names = [name for name in sorted(ARCHITECTURES) if option not in options_of(name)]
    return f"(not of {', '.join(names)})"


def run(args: argparse.Namespace) -> None:
    """Train, and draw the learning curves."""
    check(args)
    prepare_model(args.output, *BESIDE)
    from tfbind.binding.evaluation.site_calibration import calibrate_trained

    if args.members:
        _join(args)
        if args.fold is None:
            calibrate_trained(args.output, args.tensors, threads=args.threads)
        return
    from tfbind.binding.learning.ensemble import members_for, train_ensemble
    from tfbind.binding.learning.training import train
    from tfbind.report.figures import learning_curves

    given = {
        field.name: getattr(args, field.name) for field in fields(FitOptions) if hasattr(args, field.name)
    }
    options = FitOptions(**given)
    arguments: dict[str, Any] = {
        "architecture": args.architecture,
        "network_values": {name: getattr(args, name) for name in OPTIONS},
        "threads": args.threads,
        "resume": args.resume,
        "fold": args.fold,
        "start": args.start,
        "allow_overlap": args.allow_overlap,
    }
    if args.seeds is None:
        # networks that start from the same weights are much alike
        args.seeds = 1 if args.start else members_for(args.tensors, args.architecture, args.fold)
    of_seeds = numbered_seeds(args)
    if len(of_seeds) > 1:
        history = train_ensemble(args.tensors, args.output, seeds=of_seeds, options=options, **arguments)
    else:
        history = train(args.tensors, args.output, options=options, **arguments)
    if history is not None:
        learning_curves(args.output.with_suffix(".learning.svg"), history)
    # last, as a training counts as finished without it, and --resume then does it. Peaks of a fold that is held out are
    # among those to calibrate by, and what judges a fold's model scans no genome
    if args.fold is None:
        calibrate_trained(args.output, args.tensors, threads=args.threads)


def check(args: argparse.Namespace) -> None:
    """Refuse options that have no meaning together.

    Raises
    ------
    TfbindError
    """
    if args.members:
        default = FitOptions()
        meant_for_training = (
            "architecture",
            *OPTIONS,
            "epochs",
            "learning_rate",
            "start",
            "resume",
            "allow_overlap",
        )
        given = [name for name in meant_for_training if getattr(args, name)]
        given += [
            name
            for name in ("batch_size", "patience", "seed")
            if getattr(args, name) != getattr(default, name)
        ]
        given += ["seeds"] if args.seeds is not None else []
        if given:
            option = f"--{given[0].replace('_', '-')}"
            raise TfbindError(f"--members joins trained models and trains none, so {option} has no meaning")
        return
    if args.allow_overlap and args.start is None:
        raise TfbindError("--allow-overlap is about the model to start from, so it goes with --start")
    if args.seeds is not None:
        numbered_seeds(args)


def numbered_seeds(args: argparse.Namespace) -> tuple[int, ...]:
    """Give the seed of each network that ``--seeds`` asks for.

    Raises
    ------
    TfbindError
    """
    if isinstance(args.seeds, int):
        if args.seeds > MOST_MEMBERS or args.seed + args.seeds > 2**32:
            raise TfbindError(
                f"--seeds is {args.seeds}, expected at most {MOST_MEMBERS}, and no seed above 2**32 - 1"
            )
        return tuple(range(args.seed, args.seed + args.seeds))
    if args.seed:
        raise TfbindError("--seeds names the seeds, so --seed has no meaning")
    if len(args.seeds) > MOST_MEMBERS:
        raise TfbindError(f"--seeds names {len(args.seeds)} seeds, expected at most {MOST_MEMBERS}")
    return args.seeds


def _join(args: argparse.Namespace) -> None:
    from tfbind.binding.learning.ensemble import join_models

    join_models(args.tensors, args.members, args.output, threads=args.threads, fold=args.fold)
    # what another model has left under this name is not of this one
    for suffix in BESIDE:
        args.output.with_suffix(suffix).unlink(missing_ok=True)
