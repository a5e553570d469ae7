"""Many simulated regions in one file, by several processes; what is finished outlives an interruption."""

from __future__ import annotations

import logging
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import fields
from pathlib import Path
from typing import Any

import msprime

from tfbind import __version__
from tfbind.errors import TfbindError
from tfbind.genotype_tensors import packed, write_regions
from tfbind.genotypes.prior import Range
from tfbind.genotypes.simulation import MOST_LENGTH, Region, Setting, simulate_region
from tfbind.genotypes.vcf_writing import write_vcf
from tfbind.process import end_with_parent
from tfbind.progress import Progress
from tfbind.recombination.maps.writing import write_hapmap
from tfbind.resume.journal import Resume
from tfbind.resume.replicates import finished_replicates
from tfbind.steps import StepFunction
from tfbind.tensors import describe_sources

logger = logging.getLogger(__name__)

WAITING_PER_PROCESS = 4
_TASK: tuple[Setting, int, Path | None] | None = None  # of a process of the pool


def write_simulations(
    setting: Setting,
    output: Path,
    *,
    replicates: int,
    seed: int = 0,
    threads: int = 1,
    inputs: Sequence[Path] = (),
    vcf_dir: Path | None = None,
    resume: Resume = False,
) -> None:
    """Simulate regions and write them as a tensors file (`tfbind.genotype_tensors`).

    Parameters
    ----------
    setting : Setting
    output : Path
    replicates : int
        Regions; each depends on the setting, the seed and its own number alone.
    seed : int
    threads : int
        Processes; they do not change the result.
    inputs : sequence of Path
        Files that the setting was read from.
    vcf_dir : Path, optional
        Also write each region there as ``ID.vcf.gz`` and its true map as ``ID.txt``, in HapMap's format.
    resume : bool or "anew"
        Continue from ``OUTPUT.partial`` of an interrupted call with the same setting and seed; "anew": and start over
        if it has others.

    Raises
    ------
    TfbindError
        If a number makes no sense, another process is simulating into ``output``, or its partial file is from other
        arguments.
    """
    if not 1 <= setting.length <= MOST_LENGTH:
        raise TfbindError(f"--length: found {setting.length}, expected 1 to {MOST_LENGTH}")
    if setting.samples is not None and setting.samples * (setting.ploidy or 2) < 2:
        raise TfbindError("--samples: found 1 haploid sample, expected two haplotypes at least")
    source = describe_sources(inputs)
    described = _description(setting, seed)
    fingerprint = {
        "source": source,
        "setting": described,
        "tfbind": __version__,
        "msprime": msprime.__version__,
    }
    with finished_replicates(output, fingerprint, resume=resume) as finished:
        todo = [i for i in range(replicates) if i not in finished or not _has_files(i, vcf_dir)]
        if len(todo) < replicates:
            logger.info("%s: %d of %d replicates are done", output, replicates - len(todo), replicates)
        with Progress("simulating", len(todo), "regions") as progress:
            for replicate, parts in _simulated(todo, (setting, seed, vcf_dir), threads):
                finished.add(replicate, parts)
                progress.update(1)
        with write_regions(output, source=source, setting=described) as writer:
            for replicate in range(replicates):
                writer.append(finished.read(replicate))


def _description(setting: Setting, seed: int) -> dict[str, Any]:
    """What regions are simulated from, JSON-ready; files are described beside it."""
    return {
        "seed": seed,
        "length": setting.length,
        "deme": setting.demography.deme if setting.demography else None,
        "rate_map_given": setting.stretches is not None,
        "mutation_rate": setting.mutation_rate,
        "samples": setting.samples,
        "ploidy": setting.ploidy,
        "perfect": setting.perfect,
        "prior": {
            row.name: [value.low, value.high] if isinstance(value, Range) else value
            for row in fields(setting.prior)
            for value in [getattr(setting.prior, row.name)]
        },
    }


def region_files(region_id: str, folder: Path) -> tuple[Path, Path]:
    """Name a region's VCF and its true map."""
    return folder / f"{region_id}.vcf.gz", folder / f"{region_id}.txt"


def _has_files(replicate: int, folder: Path | None) -> bool:
    return folder is None or all(path.is_file() for path in region_files(f"sim{replicate + 1}", folder))


def _write_files(region: Region, folder: Path) -> None:
    vcf, true_map = region_files(region.id, folder)
    write_vcf(
        vcf,
        region.id,
        region.length,
        region.position,
        region.haplotypes,
        ploidy=region.ploidy,
        phased=region.phased,
    )
    rates = region.rate_map()
    write_hapmap(true_map, {region.id: StepFunction(rates.position, rates.rate)})


def _simulate(task: tuple[Setting, int, Path | None], replicate: int) -> tuple[int, dict[str, Any]]:
    setting, seed, vcf_dir = task
    region = simulate_region(setting, seed, replicate)
    if vcf_dir is not None:
        _write_files(region, vcf_dir)
    return replicate, packed(region)


def _start_process(task: tuple[Setting, int, Path | None]) -> None:
    global _TASK
    _TASK = task
    # an interruption is the parent's to answer
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()


def _simulate_in_process(replicate: int) -> tuple[int, dict[str, Any]]:
    assert _TASK is not None
    return _simulate(_TASK, replicate)


def _simulated(
    todo: Sequence[int], task: tuple[Setting, int, Path | None], threads: int
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Give replicates as they are done, in any order."""
    threads = min(threads, len(todo))
    if threads <= 1:
        for replicate in todo:
            yield _simulate(task, replicate)
        return
    pool = ProcessPoolExecutor(
        threads, multiprocessing.get_context("spawn"), initializer=_start_process, initargs=(task,)
    )
    try:
        waiting: set[Future[tuple[int, dict[str, Any]]]] = set()
        for replicate in todo:
            waiting.add(pool.submit(_simulate_in_process, replicate))
            if len(waiting) >= threads * WAITING_PER_PROCESS:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    except BrokenProcessPool:
        raise TfbindError(
            "a process of the simulation was killed, perhaps for want of memory, expected fewer --threads or less"
            " --length; what is done is kept for --resume"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
