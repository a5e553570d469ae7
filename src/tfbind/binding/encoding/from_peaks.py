"""A tensors file of peaks in a genome: windows around summits, and negatives drawn or made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from tfbind.binding.encoding.contig_split import hold_out_contigs
from tfbind.binding.encoding.encode import encode_sources
from tfbind.binding.encoding.sources import excluded_regions, matched_windows, peak_windows, windows_source
from tfbind.binding.encoding.surroundings import Surroundings, validation_stretches
from tfbind.binding.options import EncodeOptions, genome_ratio
from tfbind.dna.genome import Genome
from tfbind.dna.matched import intervals_by_contig, join_intervals
from tfbind.dna.splits import TEST, TRAIN, VALIDATION
from tfbind.errors import TfbindError

# training shifts windows of a genome by up to this part of their length
SHIFT = 5


def _held_out_as(genome: Genome, contigs: Iterable[str], options: EncodeOptions) -> dict[str, int]:
    """Tell the part that each contig goes to; contigs to hold out may be spelled otherwise."""
    genome.expect_contigs((*options.test_contigs, *options.validation_contigs))
    test, validation = (
        {genome.find_contig(name) for name in names}
        for names in (options.test_contigs, options.validation_contigs)
    )
    return {
        contig: TEST if contig in test else VALIDATION if contig in validation else TRAIN
        for contig in contigs
    }


def encode_peaks(output: Path, peaks: Path, genome_path: Path, factor: str, options: EncodeOptions) -> None:
    """Encode windows around the summits of peaks, and G+C-matched windows or negatives made from the windows.

    See `encode_fasta`.
    """
    method = options.negative_method or "genome"
    with Genome(genome_path) as genome:
        excluded = excluded_regions(options.exclude, genome)
        keep_all = options.keep_excluded_positives
        windows, all_peaks, counts = peak_windows(peaks, genome, options, None if keep_all else excluded)
        named = options.test_contigs
        genome.expect_contigs(named)
        options = hold_out_contigs(
            windows, options, {name: genome.find_contig(name) or name for name in named}
        )
        if options.negative_ratio is None and method == "genome":
            options = replace(options, negative_ratio=genome_ratio(len(windows)))
        sources = [windows_source(genome, windows, options.length, 1)]
        width = options.length // SHIFT
        # windows of contigs without a peak, such as alternative haplotypes, may repeat bound sequence
        stratum = _held_out_as(genome, (window.contig for window in windows), options)
        if method == "genome":
            forbidden = join_intervals(intervals_by_contig([*all_peaks, *windows]), excluded)
            # training shifts a negative, and must not shift it into a peak
            forbidden = {
                contig: np.maximum(places + np.array([-width, width]), 0)
                for contig, places in forbidden.items()
            }
            negatives, short_of = matched_windows(genome, sources[0], forbidden, stratum, options)
            if not negatives:
                raise TfbindError(
                    f"{genome_path}: no stretch of {options.length} bases touches no peak and has the G+C content"
                    " of a peak, expected some for negatives; --negative-method dinucleotide needs none"
                )
            counts |= short_of
            sources.append(windows_source(genome, negatives, options.length, 0))
        by_contig = bool(options.test_contigs or options.validation_contigs)
        surroundings = Surroundings(
            genome,
            width,
            validation_stretches(genome, all_peaks, stratum) if by_contig else None,
        )
        encode_sources(
            output,
            sources,
            [factor],
            options,
            inputs=[peaks, genome_path],
            negative_method=method,
            counts=counts,
            surroundings=surroundings,
        )
