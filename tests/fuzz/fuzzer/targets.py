"""Every reader of a user's file: how it is called, what its files look like, and what must hold of what it gives."""

from __future__ import annotations

import argparse
import functools
import os
from pathlib import Path
from typing import Any

import numpy as np

from fuzzer import checks, seeds
from fuzzer.judge import ARCHIVES, Target
from tfbind.errors import TfbindError

TEXT = ("crlf", "cr", "blank", "bom", "gzip", "bgzf")
LENGTH = 20


def _records(path: Path) -> Any:
    from tfbind.dna.fasta import read_batches, read_records

    records = list(read_records(path))
    invalid: dict[int, str] = {}
    batches = [
        (batch.names, batch.codes.tolist(), batch.valid_length.tolist(), batch.intervals)
        for batch in read_batches(path, LENGTH, invalid=invalid)
    ]
    return records, batches, sorted(invalid)


def _check_records(value: Any, data: bytes) -> None:
    records, batches, invalid = value
    assert sum(len(batch[0]) for batch in batches) + len(invalid) == len(records), "a record is lost"
    for _, codes, valid_length, intervals in batches:
        assert all(0 < n <= LENGTH for n in valid_length), valid_length
        assert all(code <= 4 for row in codes for code in row), codes
        for place in intervals:
            if place:
                checks.interval(*place[1:])


def _coordinates(path: Path) -> Any:
    from tfbind.dna.coordinates import parse_coordinates

    return [parse_coordinates(line) for line in path.read_text("latin-1").split("\n")]


def _check_coordinates(value: Any, data: bytes) -> None:
    for place in value:
        if place:
            checks.interval(*place[1:])


def _bed(path: Path) -> Any:
    from tfbind.dna.bed import bed_lines

    return list(bed_lines(path))


def _check_bed(value: Any, data: bytes) -> None:
    for _, _, start, end in value:
        checks.interval(start, end)
        checks.from_the_file((start, end), data)


def _exclude(path: Path) -> Any:
    from tfbind.dna.matched import read_intervals, touches

    found = read_intervals(path)
    start = np.arange(0, 300, 50)
    return {
        contig: (pairs.tolist(), touches(start, LENGTH, pairs).tolist()) for contig, pairs in found.items()
    }


def _mask(path: Path) -> Any:
    from tfbind.genotypes.mask import read_mask

    mask, at = read_mask(path), np.arange(0, 300, 7)
    return {
        contig: (
            *(one.starts.tolist(), one.ends.tolist(), one.n_bases, one.contains(at).tolist()),
            *(one.bases_before(at).tolist(), one.within(5, 150).starts.tolist()),
        )
        for contig, one in mask.contigs.items()
    }


def _check_mask(value: Any, data: bytes) -> None:
    for starts, ends, n_bases, *_ in value.values():
        assert all(a < b for a, b in zip(starts, ends, strict=True)), (starts, ends)
        assert all(a < b for a, b in zip(ends[:-1], starts[1:], strict=True)), (starts, ends)
        assert n_bases == sum(ends) - sum(starts), n_bases
        checks.from_the_file((*starts, *ends), data)


def _peaks(path: Path, peak_format: str = "auto", skip: bool = False) -> Any:
    from tfbind.dna.peaks import merge_summits, read_peaks, strongest, windows_round_summits

    bad: list | None = [] if skip else None
    peaks = read_peaks(path, peak_format, bad)
    contigs = dict.fromkeys((peak.contig for peak in peaks), 2**54)
    merged = merge_summits(peaks, LENGTH, contigs)
    windows = windows_round_summits(strongest(merged, 3, path), LENGTH, contigs, path)
    return peaks, [peak.record_id for peak in merged], windows, bad


def _check_peaks(value: Any, data: bytes) -> None:
    peaks, _, (windows, _, _), _ = value
    for peak in peaks:
        checks.interval(peak.start, peak.end)
        assert peak.start <= peak.summit < peak.end, peak
    for window in windows:
        assert window.end - window.start == LENGTH, window
    checks.from_the_file([peak.end for peak in peaks], data)
    checks.from_the_file([peak.start for peak in peaks], data, off_by=(0, 1))


def _labels(path: Path) -> Any:
    from tfbind.binding.encoding.sources import read_labels

    table, part, group = read_labels(path)
    return list(table.columns), list(table.index), table.to_numpy().tolist(), part, group


def _check_labels(value: Any, data: bytes) -> None:
    factors, names, labels, part, group = value
    assert len(set(names)) == len(names), names
    assert all(len(row) == len(factors) for row in labels), labels
    _check_stated(labels, part, group)


def _check_stated(labels: Any, part: Any, group: Any) -> None:
    assert all(label in (0, 1) or label != label for row in labels for label in row), labels
    assert part is None or (len(part) == len(labels) and max(part, default=0) <= 2), part
    assert group is None or len(group) == len(labels), group


def _table(path: Path, skip: bool = False) -> Any:
    from tfbind.binding.encoding.table import read_table
    from tfbind.binding.encoding.table_lines import states_test

    source, factors = read_table(path, LENGTH, "F", skip_invalid=skip)
    found = []
    for batch in source.batches():
        part, group = source.stated(batch) if source.stated else (None, None)
        labels = source.labels(batch).tolist()
        found.append((batch.names, batch.codes.tolist(), labels, part, group, batch.intervals))
    return factors, states_test(path), found, sorted(source.invalid or {})


def _check_table(value: Any, data: bytes) -> None:
    factors, has_test, batches, invalid = value
    assert len(set(factors)) == len(factors) > 0, factors
    found = []
    for names, codes, labels, part, group, intervals in batches:
        assert len(names) == len(codes) == len(labels) == len(intervals), names
        assert all(code <= 4 for row in codes for code in row), codes
        assert all(len(row) == len(factors) for row in labels), labels
        _check_stated(labels, part, group)
        found.append(None if part is None else 2 in part)
    # what the workflow knows beforehand; a record left out may be the only one of test
    if found and not invalid:
        assert has_test in found, (has_test, found)


def _states_test(path: Path) -> Any:
    from tfbind.binding.encoding.table_lines import states_test

    return states_test(path)


def _encoded(path: Path, encode: Any) -> Any:
    """Encode a file whole, and read what is written; a tensors file left there is not of this one."""
    from tfbind.binding.options import EncodeOptions
    from tfbind.tensors import open_tensors

    output = path.with_name("out.h5")
    output.unlink(missing_ok=True)
    encode(output, EncodeOptions(length=LENGTH))
    with open_tensors(output) as tensors:
        rows = np.arange(len(tensors))
        columns = [tensors.text(name).tolist() for name in ("id", "group")]
        values = [tensors.y, tensors.split, tensors.codes(rows), tensors.valid_length]
        return tensors.tasks, *columns, *(value.tolist() for value in values)


def _encode_table(path: Path) -> Any:
    from tfbind.binding.encoding.from_table import encode_table

    return _encoded(path, lambda output, options: encode_table(output, path, "F", options))


def _encode_labels(path: Path) -> Any:
    from tfbind.binding.encoding.from_labels import encode_labelled

    fasta = path.with_name("named.fa")
    fasta.write_bytes(seeds.NAMED)
    return _encoded(path, lambda output, options: encode_labelled(output, fasta, path, options))


def _check_encoded(value: Any, data: bytes) -> None:
    """No sequence is in two parts, on either strand."""
    from tfbind.dna.digests import strand_canonical_digests

    _, names, _, _, split, codes, lengths = value
    assert len(set(names)) == len(names), names
    digests = strand_canonical_digests(np.array(codes, np.uint8), np.array(lengths, np.int32)).tolist()
    parts: dict[int, int] = {}
    for name, digest, part in zip(names, digests, split, strict=True):
        assert parts.setdefault(digest, part) == part, f"{name} is in two parts"


def _variants(path: Path) -> Any:
    from tfbind.dna.vcf import Malformed, read_variants

    return [
        (type(one).__name__, *one[:5]) if isinstance(one, Malformed) else one for one in read_variants(path)
    ]


def _genotypes(path: Path, **options: Any) -> Any:
    from tfbind.genotypes.vcf import read_genotypes

    return [
        (
            *(
                one.contig,
                one.positions.tolist(),
                np.asarray(one.calls).tolist(),
                one.ploidy,
                one.start,
                one.end,
            ),
            *(one.samples, one.samples_left_out, str(one.account)),
        )
        for one in read_genotypes(path, **options)
    ]


def _check_genotypes(value: Any, data: bytes) -> None:
    for _, positions, calls, ploidy, start, end, *_ in value:
        assert 0 <= start <= end <= 2**31, (start, end)
        assert all(start <= at < end for at in positions), positions
        assert positions == sorted(set(positions)), positions
        assert all(-1 <= call <= ploidy for row in calls for call in row), calls
        checks.from_the_file([at + 1 for at in positions], data)


@functools.cache
def _vcf_of_samples() -> Path:
    import atexit
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "samples.vcf"
    path.write_bytes(seeds.VCF[0])
    return path


def _samples(path: Path) -> Any:
    from tfbind.genotypes.vcf import read_genotypes

    return [one.samples + one.samples_left_out for one in read_genotypes(_vcf_of_samples(), path)]


def _truth(path: Path, unit: str | None = None) -> Any:
    from tfbind.recombination.maps.reading import read_truth

    truth = read_truth([path], unit)
    rates = {contig: (one.edges.tolist(), one.values.tolist()) for contig, one in truth.rates.items()}
    return rates, truth.per_mutation


def _check_truth(value: Any, data: bytes) -> None:
    for edges, rates in value[0].values():
        checks.steps(edges, rates)


def _map_file(path: Path, sites: bytes = seeds.LDHAT_SITES[0]) -> Any:
    from tfbind.recombination.maps.reading import read_map_file, steps_by_contig

    other = path.with_name("sites.txt")
    other.write_bytes(sites)
    found = read_map_file(path, unit_if_unstated="per-bp", sites=other)
    steps = steps_by_contig(found.table)
    return {
        contig: (one.edges.tolist(), one.values.tolist()) for contig, one in steps.items()
    }, found.note.partition(" median")[0]


def _sites(path: Path) -> Any:
    from tfbind.recombination.maps.ldhat import read_sites

    return read_sites(path).tolist()


def _genetic_length(path: Path) -> Any:
    from tfbind.recombination.maps.conversion import read_genetic_lengths

    return read_genetic_lengths(str(path))


def _check_genetic_length(value: Any, data: bytes) -> None:
    for cm in value.values():
        assert 0 < cm < float("inf"), cm


def _map(path: Path) -> Any:
    from tfbind.recombination.maps.table import finest, read_map, resolution

    table, per_mutation = read_map(path)
    return table.to_dict("list"), per_mutation, resolution(finest(table))


def _check_map(value: Any, data: bytes) -> None:
    table = value[0]
    for start, end, rate in zip(table["start"], table["end"], table["rate"], strict=True):
        assert 0 <= start < end <= checks.MOST, (start, end)
        assert not rate < 0, rate


def _demes(path: Path) -> Any:
    from tfbind.genotypes.demographies import read_demography

    found = read_demography(path, "A")
    return found.deme, found[-1]


def _prior(path: Path) -> Any:
    from tfbind.genotypes.observation import draw_observation
    from tfbind.genotypes.prior import read_prior

    prior = read_prior([path])
    return prior, draw_observation(np.random.default_rng(1), prior, 2)


def _check_prior(value: Any, data: bytes) -> None:
    prior, observation = value
    for name in ("haploid", "structure", "gene_conversion", "unphased", "chip"):
        checks.share(getattr(prior, name))
    for name in ("error_rate", "missing_rate", "dropout_variants"):
        checks.share(getattr(observation, name))


def _matrix(path: Path) -> Any:
    from tfbind.dna.matrices import find_matrix

    found = find_matrix(str(path))
    return found.id, found.name, found.counts.tolist()


def _check_matrix(value: Any, data: bytes) -> None:
    counts = np.array(value[2])
    assert counts.ndim == 2, counts.shape
    assert counts.shape[1] == 4, counts.shape
    assert len(counts), counts.shape
    assert np.isfinite(counts).all(), counts
    assert (counts >= 0).all(), counts
    assert value[0], value[:2]
    assert value[1], value[:2]
    assert len(value[0].split()) == 1, value[:2]


def _scores(path: Path) -> Any:
    from tfbind.binding.scanning.score_table import read_rows

    return list(read_rows(path))


def _predictions(path: Path) -> Any:
    from tfbind.binding.evaluation.comparison import _matched, _read_predictions

    path.replace(path.parent / "predictions.tsv")
    table = _read_predictions(path.parent)
    table = _matched(table, path.parent, table.iloc[::-1] if table.index.is_unique else table, path.parent)
    return table.reset_index().to_dict("list")


_FOLD = {"predictions.tsv": seeds.PREDICTIONS[0], "roc.tsv": seeds.ROC[0], "metrics.json": seeds.METRICS[0]}


def _gather(path: Path, name: str) -> Any:
    from tfbind.binding.evaluation.cross_validation import gather

    files = _FOLD | {name: path.read_bytes(), "notes.json": b"[]"}
    files["pr.tsv"] = (
        files["roc.tsv"].replace(b"fpr\ttpr", b"recall\tprecision") if name == "roc.tsv" else _PR
    )
    for each, content in files.items():
        (path.parent / each).write_bytes(content)
    found = gather([path.parent])
    return found.metrics, found.mean_roc.to_dict("list"), found.predictions.to_dict("list")


_PR = seeds.ROC[0].replace(b"fpr\ttpr", b"recall\tprecision")


def _options(path: Path) -> Any:
    from tfbind.cli import arguments, diagnose, encode, predict, recombination_evaluate, recombination_predict

    types = (
        *(arguments.positive_int, arguments.seed, arguments.positive_float, arguments.share, arguments.names),
        *(encode.fractions, predict.threshold, predict.piece, diagnose.cells),
        *(recombination_evaluate.scales, recombination_predict.resolutions),
    )
    found: list[Any] = []
    for line in path.read_text("latin-1").split("\n"):
        for kind in types:
            try:
                found.append(kind(line))
            # what argparse turns into a message
            except (argparse.ArgumentTypeError, ValueError, TypeError):
                found.append(None)
    return found


def _genome(path: Path) -> Any:
    import pysam

    from tfbind.dna.genome import Genome

    pysam.set_verbosity(0)
    for suffix in (".fai", ".gzi"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(path.parent / "cache")
    with Genome(path) as genome:
        return {
            contig: genome.fetch(contig, 0, min(length, 1000)) for contig, length in genome.contigs.items()
        }


def _check_genome(value: Any, data: bytes) -> None:
    for contig, letters in value.items():
        assert contig, value
        assert letters, value
        assert "\n" not in letters, letters[:50]
        assert "\r" not in letters, letters[:50]


@functools.cache
def _bcf() -> tuple[bytes, ...]:
    """The VCF files as BCF."""
    import tempfile

    import pysam

    with tempfile.TemporaryDirectory() as folder:
        made = []
        for text in seeds.VCF:
            source, target = Path(folder, "in.vcf"), Path(folder, "out.bcf")
            source.write_bytes(text)
            with (
                pysam.VariantFile(str(source)) as records,
                pysam.VariantFile(str(target), "wb", header=records.header) as out,
            ):
                for record in records:
                    out.write(record)
            made.append(target.read_bytes())
        return tuple(made)


def _plain_bcf(data: bytes) -> bytes:
    import gzip

    return gzip.decompress(data)


_PEAKS = {
    "narrowPeak": seeds.NARROW,
    "broadPeak": seeds.BROAD,
    "gappedPeak": seeds.GAPPED,
    "macs": seeds.MACS,
    "homer": seeds.HOMER,
    "table": seeds.PEAK_TABLE,
    "bed": seeds.BED,
}
_ALL_PEAKS = tuple(seed for some in _PEAKS.values() for seed in some)

_TEXT_TARGETS = (
    Target("fasta", seeds.FASTA, _records, _check_records, ".fa", executions=1000),
    Target("coordinates", seeds.HEADERS, _coordinates, _check_coordinates, alike=(), executions=3000),
    Target("bed", seeds.BED, _bed, _check_bed, ".bed", executions=3000),
    Target("exclude", seeds.BED, _exclude, suffix=".bed"),
    Target("mask", seeds.BED, _mask, _check_mask, ".bed"),
    Target("peaks", _ALL_PEAKS, _peaks, _check_peaks, ".bed", executions=2500),
    Target("peaks-skip-invalid", _ALL_PEAKS, functools.partial(_peaks, skip=True), _check_peaks, ".bed"),
    *(
        Target(f"peaks-{name}", some, functools.partial(_peaks, peak_format=name), _check_peaks, ".txt")
        for name, some in _PEAKS.items()
    ),
    Target("labels", seeds.LABELS, _labels, _check_labels, suffix=".tsv"),
    Target("table", seeds.TABLES, _table, _check_table, suffix=".csv", executions=1500),
    Target(
        "table-skip-invalid", seeds.TABLES, functools.partial(_table, skip=True), _check_table, suffix=".csv"
    ),
    Target("table-parts", seeds.TABLES, _states_test, suffix=".csv"),
    Target("encode-table", seeds.TABLES, _encode_table, _check_encoded, suffix=".csv", executions=60),
    Target("encode-labels", seeds.LABELS, _encode_labels, _check_encoded, suffix=".tsv", executions=60),
    Target("variants", seeds.SITES, _variants, suffix=".vcf", executions=3000),
    Target("genotypes", seeds.VCF, _genotypes, _check_genotypes, ".vcf", executions=800),
    Target(
        "genotypes-filtered",
        seeds.VCF,
        functools.partial(_genotypes, unphased=True, keep_filtered=True, most_missing=0.9),
        _check_genotypes,
        ".vcf",
        executions=1000,
    ),
    Target("samples", seeds.SAMPLES, _samples, executions=1000),
    Target("hapmap", seeds.HAPMAP, _truth, _check_truth, executions=250),
    Target("rates", seeds.RATES, _truth, _check_truth, executions=200),
    Target(
        "truth",
        (*seeds.HAPMAP, *seeds.MAP, *seeds.RATES),
        functools.partial(_truth, unit="cM/Mb"),
        _check_truth,
        executions=120,
    ),
    Target("maps", (*seeds.OTHER_MAPS, *seeds.HAPMAP, *seeds.RATES), _map_file, _check_truth, executions=200),
    Target("ldhat-sites", seeds.LDHAT_SITES, _sites, executions=300),
    Target("genetic-length", seeds.GENETIC_LENGTHS, _genetic_length, _check_genetic_length, executions=500),
    Target("map", seeds.MAP, _map, _check_map, ".tsv", executions=200),
    Target("demes", seeds.DEMES, _demes, suffix=".yaml", alike=(), executions=60),
    Target(
        "prior", seeds.PRIOR, _prior, _check_prior, ".yaml", alike=("crlf", "blank", "bom"), executions=250
    ),
    Target("motif", seeds.MATRICES, _matrix, _check_matrix, executions=500),
    Target("scores", seeds.SCORES, _scores, suffix=".tsv", alike=("crlf", "bom", "gzip"), executions=1000),
    Target("predictions", seeds.PREDICTIONS, _predictions, suffix=".tsv", executions=150),
    *(
        Target(f"gather-{name}", (content,), functools.partial(_gather, name=name), alike=(), executions=80)
        for name, content in _FOLD.items()
    ),
    Target("options", seeds.OPTIONS, _options, alike=(), names_file=False),
)
_OF_TEXT = {target.name: target for target in _TEXT_TARGETS}


def _in_archive(name: str, archive: str, executions: int) -> Target:
    text = _OF_TEXT[name]
    return Target(
        f"{name}-{archive}",
        text.seeds,
        text.read,
        text.check,
        f"{text.suffix}.gz",
        alike=(),
        executions=executions,
        archive=ARCHIVES[archive],
    )


@functools.cache
def all_targets() -> dict[str, Target]:
    """Give every target by its name."""
    archives = [
        _in_archive(name, archive, 300)
        for name in ("fasta", "bed", "peaks", "variants", "genotypes", "hapmap", "labels", "mask", "table")
        for archive in ARCHIVES
    ]
    bcf = _bcf()
    packed_bcf = tuple(map(_plain_bcf, bcf))
    native = [
        Target("genome", seeds.GENOME, _genome, _check_genome, ".fa", ("gzip", "bgzf"), 300, native=True),
        *(
            Target(
                f"genome-{name}",
                seeds.GENOME,
                _genome,
                _check_genome,
                ".fa.gz",
                (),
                200,
                archive=pack,
                native=True,
            )
            for name, pack in ARCHIVES.items()
        ),
        *(
            Target(f"{name}-bcf", packed_bcf, read, check, ".bcf", (), 300, native=True)
            for name, read, check in (
                ("variants", _variants, lambda value, data: None),
                ("genotypes", _genotypes, _check_genotypes),
            )
        ),
        Target(
            "variants-bcf-bgzf",
            packed_bcf,
            _variants,
            suffix=".bcf",
            alike=(),
            executions=200,
            archive=ARCHIVES["bgzf"],
            native=True,
        ),
    ]
    return {target.name: target for target in (*_TEXT_TARGETS, *archives, *native)}


def target_called(name: str) -> Target:
    """Find a target.

    Raises
    ------
    TfbindError
        If there is none of this name.
    """
    targets = all_targets()
    if name not in targets:
        raise TfbindError(f"found target {name!r}, expected one of {', '.join(targets)}")
    return targets[name]
