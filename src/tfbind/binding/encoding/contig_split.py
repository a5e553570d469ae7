"""Which contigs to hold out where the user names none: neighbours on a contig are homologous or share a domain."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from tfbind.binding.options import SPLIT_BY_CONTIG, VALIDATION_PEAKS, EncodeOptions
from tfbind.dna.peaks import Window
from tfbind.errors import TfbindError

logger = logging.getLogger(__name__)

# random orders of the contigs that are tried
N_ORDERS = 200
# a held-out part may hold this many times as many peaks as asked for, or as few
FAR_OFF = 1.7
# log ratio to what was asked for that no other order needs to beat
CLOSE = 0.01
FEWEST_CONTIGS = 3


def hold_out_contigs(
    windows: Iterable[Window], options: EncodeOptions, find_contig: dict[str, str] | None = None
) -> EncodeOptions:
    """Name the contigs to hold out, where the options leave them open.

    Parameters
    ----------
    windows : iterable of Window
        Of the peaks.
    options : EncodeOptions
        Test contigs that they name stay; only those of validation are chosen then.
    find_contig : dict, optional
        From a name in the options to that in the genome.

    Returns
    -------
    EncodeOptions
        As they were, where parts are not by contig, or the contigs do not allow it.

    Raises
    ------
    TfbindError
        If parts by contig were asked for, and the contigs do not allow them.
    """
    if options.split_by == "records" or options.validation_contigs:
        return options
    n_of_contig = Counter(window.contig for window in windows)
    fractions = options.split or SPLIT_BY_CONTIG
    given = [(find_contig or {}).get(name, name) for name in options.test_contigs]
    free = {contig: n for contig, n in n_of_contig.items() if contig not in given}
    n_all = sum(n_of_contig.values())
    n_test = 0.0 if given else fractions[2] * n_all
    left = sum(free.values()) - n_test
    # what is left is dealt as the fractions of training and validation say
    n_validation = left * fractions[1] / (fractions[0] + fractions[1])
    if options.split is None:
        n_validation = max(n_validation, min(VALIDATION_PEAKS, left / 4))
    chosen = choose_contigs(free, (n_test, n_validation), options.seed)
    if chosen is None:
        problem = (
            f"the peaks lie on {len(n_of_contig)} contigs, and none of these have about the share of the peaks that"
            " is to be held out"
        )
        if options.split_by == "contigs":
            raise TfbindError(f"--split-by contigs: {problem}; expected more contigs, or --split-by records")
        logger.warning(
            "%s: parts are dealt at random, so that neighbours, which may be homologous, can be in different parts",
            problem,
        )
        return options
    test, validation = chosen
    for name, contigs in (("test", test or given), ("validation", validation)):
        if not contigs:
            continue
        n = sum(n_of_contig[contig] for contig in contigs)
        shown = ", ".join(contigs[:10]) + (f" and {len(contigs) - 10} more" if len(contigs) > 10 else "")
        logger.info("held out whole contigs as %s: %s (%.0f%% of the peaks)", name, shown, 100 * n / n_all)
    return replace(
        options,
        test_contigs=tuple(given) or tuple(test),
        validation_contigs=tuple(validation),
    )


def choose_contigs(
    n_of_contig: dict[str, int], wanted: tuple[float, float], seed: int
) -> tuple[list[str], list[str]] | None:
    """Choose contigs for two parts.

    Of many random orders, each filled into the parts one contig after the other, the one that comes closest.

    Parameters
    ----------
    n_of_contig : dict
        Records on each.
    wanted : two floats
        Records of the test and the validation part; 0 for none.
    seed : int

    Returns
    -------
    test, validation : lists of str
        None if no choice comes close, or less than a third of the records would be left.
    """
    contigs = sorted(n_of_contig)
    n_records = np.array([n_of_contig[contig] for contig in contigs])
    if len(contigs) < FEWEST_CONTIGS - (wanted[0] == 0) - (wanted[1] == 0):
        return None
    rng = np.random.default_rng(seed)
    best: tuple[float, np.ndarray] | None = None
    for _ in range(N_ORDERS):
        order = rng.permutation(len(contigs))
        part = np.zeros(len(contigs), np.int64)
        off = 0.0
        for number, target in enumerate(wanted, start=1):
            if target > 0:
                n = 0
                for contig in order[part[order] == 0]:
                    if abs(n + n_records[contig] - target) < abs(n - target):
                        part[contig] = number
                        n += n_records[contig]
                off = max(off, abs(np.log(max(n, 1e-9) / target)))
        if best is None or off < best[0]:
            best = off, part
        if off < CLOSE:
            break
    if best is None or best[0] > np.log(FAR_OFF) or n_records[best[1] > 0].sum() > 2 / 3 * n_records.sum():
        return None
    test, validation = ([contigs[at] for at in np.flatnonzero(best[1] == number)] for number in (1, 2))
    return test, validation
