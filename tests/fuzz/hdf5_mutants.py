"""Mutants of small tensors files of both kinds, and what reads every part of one."""

import io
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np

from tfbind.binding.learning.parts import Part, shifted
from tfbind.dna.alphabet import AMBIGUOUS
from tfbind.dna.encoding import DnaEncoding
from tfbind.errors import TfbindError
from tfbind.genotype_tensors import open_regions, packed, write_regions
from tfbind.genotypes.simulation import Region
from tfbind.recombination.learning.examples import read_regions
from tfbind.recombination.mapping.site_windows import read_windows
from tfbind.tensor_stretches import Stretches
from tfbind.tensors import open_tensors, write_tensors

N = 24
LENGTH = 30


def write_dna(path: Path, encoding: DnaEncoding) -> None:
    """Write sequences of every part, some of them shorter, with shuffles, coordinates and folds."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 5, (N, LENGTH)).astype(np.uint8)
    valid_length = np.where(np.arange(N) % 5 == 0, 21, LENGTH).astype(np.int32)
    codes[np.arange(LENGTH) >= valid_length[:, None]] = AMBIGUOUS
    ids = [f"chr1:{i * 50}-{i * 50 + LENGTH}" for i in range(N)]
    with write_tensors(
        path, encoding, tasks=["A", "B"], source=[], extra={"negative_method": "given"}, folds=3
    ) as w:
        w.append(
            codes=codes,
            valid_length=valid_length,
            y=rng.choice(np.array([0, 1, np.nan], np.float32), (N, 2)),
            split=(np.arange(N) // 2 % 3).astype(np.uint8),
            id=ids,
            group=["chr1"] * N,
            parent=["" if i % 2 == 0 else ids[i - 1] if i % 10 != 1 else "" for i in range(N)],
            fold=(np.arange(N) % 4).astype(np.uint8),
            intervals=[("chr1", i * 50, i * 50 + LENGTH) if i % 3 else None for i in range(N)],
            flanks=rng.integers(0, 5, (N, 2, 4)).astype(np.uint8),
        )
        bases = rng.integers(0, 5, 300).astype(np.uint8)
        where = np.array(["chr2", "chr3"], dtype=object), np.array([0, 70]), np.array([200, 100])
        w.add_stretches(Stretches(*where, bases, np.array([10, 150, 260]), 5.0))


def write_genotypes(path: Path) -> None:
    """Write regions with and without missing calls, of haploids and diploids."""
    rng = np.random.default_rng(0)
    with write_regions(path, source=[], setting={"seed": 1, "length": 2000, "prior": {}}) as writer:
        for i in range(4):
            haplotypes = rng.integers(0, 2, (30, 12)).astype(np.int8)
            haplotypes[:, -2:] = [0, 1]
            if i % 2:
                haplotypes[3:6, 2:4] = -1
            region = Region(
                id=f"sim{i}",
                length=2000,
                position=np.sort(rng.choice(2000, 30, replace=False)).astype(np.int32),
                haplotypes=haplotypes,
                ploidy=1 + i % 2,
                phased=i != 3,
                mutation_rate=1e-8,
                diversity=1e-3,
                rate_start=np.array([0, 500, 1200]),
                rate=np.array([1e-8, 1e-7, 0.0]),
                parameters={"chip_spacing": 0, "seed": 1},
            )
            writer.append(packed(region))


def read_dna(path: Path) -> None:
    """Read all of a tensors file, and give it to the compiled code that training and evaluation give it to."""
    with open_tensors(path) as tensors:
        for part in range(3):
            found = Part(tensors, part)
            found.digests()
            found.sketches()
            shifted(found.codes, found.flanks, found.valid_length, np.zeros(len(found), np.int64))
        tensors.codes(np.arange(len(tensors)))
        tensors.text("group")
        tensors.intervals()
        stretches = tensors.stretches()
        if stretches is not None:
            list(stretches())
            stretches.peaks_by_stretch()
    with open_tensors(path, 2):
        pass


def read_genotypes(path: Path) -> None:
    """Read all of a file of simulations, and compute what the networks of rates read."""
    with open_regions(path) as regions:
        for index in range(len(regions)):
            regions.region(index)
    for read in (lambda: read_regions([path], seed=0, threads=1), lambda: read_windows([path], None)):
        # a region may be fit for one network and not for the other
        with suppress(TfbindError):
            read()


def mutated(data: bytes, rng: np.random.Generator) -> bytes:
    """Change bytes, or what h5py can change."""
    return mutated_bytes(data, rng) if rng.random() < 0.5 else mutated_fields(data, rng)


def mutated_bytes(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip, cut off, repeat, insert or blank out bytes."""
    changed = bytearray(data)
    # most of a file is compressed or empty, and its first kilobytes say what is where
    end = len(data) if rng.random() < 0.5 else min(len(data), 4096)
    at = int(rng.integers(end))
    match rng.integers(8):
        case 0:
            del changed[at:]
        case 1:
            size = int(rng.integers(1, 64))
            changed[at : at + size] = bytes(len(changed[at : at + size]))
        case 2:
            size = int(rng.integers(1, 64))
            other = int(rng.integers(end))
            changed[at : at + size] = changed[other : other + size]
        case 3:
            changed[at:at] = rng.bytes(int(rng.integers(1, 9)))
        case 4:
            changed[at : at + 8] = b"\xff" * len(changed[at : at + 8])
        case _:
            for place in rng.integers(end, size=rng.integers(1, 9)):
                changed[place] = rng.choice(
                    np.array([changed[place] ^ (1 << rng.integers(8)), 0, 255, 127, 128, 1])
                )
    return bytes(changed)


NUMBERS = (
    0,
    1,
    -1,
    2,
    3,
    255,
    256,
    65535,
    2**31 - 1,
    -(2**31),
    2**62,
    0.5,
    1e-9,
    1e300,
    np.nan,
    np.inf,
    -np.inf,
)
TEXTS = (
    "",
    "x",
    "a\tb",
    "a\nb",
    "\0",
    "é" * 300,
    "x" * 70_000,
    "[",
    "{}",
    "[]",
    "null",
    '{"chip_spacing": []}',
    "1e999",
)
TEXTS += (
    "chr1:0-99999999999999999999",
    "chr1:5-4",
    "1.0",
    "2.0",
    "dna",
    "genotypes",
    "kmer",
    "onehot",
    "[" * 5000,
)


def some_value(rng: np.random.Generator, of_text: float) -> object:
    """Draw a text or a number."""
    return str(rng.choice(TEXTS)) if rng.random() < of_text else rng.choice(NUMBERS)


def mutated_fields(data: bytes, rng: np.random.Generator) -> bytes:
    """Change attributes and data sets: values, types, shapes, sizes, and whether they are there."""
    memory = io.BytesIO(data)
    with h5py.File(memory, "a") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(rng.integers(1, 4)):
            change = mutate_attribute if rng.random() < 0.3 else mutate_set
            try:
                change(file, rng)
            except (TypeError, ValueError, OSError, RuntimeError, KeyError, OverflowError):
                # h5py cannot write this
                continue
    return memory.getvalue()


def mutate_attribute(file: h5py.File, rng: np.random.Generator) -> None:
    name = rng.choice(list(file.attrs))
    match rng.integers(6):
        case 0:
            del file.attrs[name]
        case 1:
            file.attrs[name] = [some_value(rng, 0)] * int(rng.integers(4))
        case 2:
            file.attrs[name] = np.bytes_(b"\xff\xfe" if rng.random() < 0.5 else b"kmer")
        case 3:
            file.attrs[name] = h5py.Empty("f")
        case 4:
            file.attrs[name] = file.ref if rng.random() < 0.5 else np.bool_(True)
        case _:
            file.attrs[name] = some_value(rng, 0.6)


def mutate_set(file: h5py.File, rng: np.random.Generator) -> None:
    name = rng.choice(list(file))
    one = file[name]
    is_text = one.dtype.kind == "O"
    match rng.integers(9):
        case 0:
            del file[name]
        case 1:
            one.resize(int(rng.choice([0, 1, len(one) - 1, len(one) + 1, 10**6, 10**9])), axis=0)
        case 2:
            values = one[()]
            del file[name]
            file[name] = values.astype(rng.choice(["i1", "u1", "i8", "f4", "f8", ">i4", "S3", "?"]))
        case 3:
            values = one[()]
            del file[name]
            file[name] = values[None] if rng.random() < 0.5 else values.ravel()[0]
        case 4:
            del file[name]
            file[name] = h5py.SoftLink("/y") if rng.random() < 0.5 else h5py.ExternalLink("x.h5", "/y")
        case 5:
            place = rng.choice(list(file))
            file.move(name, f"{name}x")
            file.move(place, name)
        case _:
            for _ in range(rng.integers(1, 4)):
                place = tuple(int(rng.integers(n)) for n in one.shape[: rng.integers(1, one.ndim + 1)])
                value = some_value(rng, 1 if is_text else 0)
                one[place] = value if is_text else np.array(value).astype(one.dtype)


def run(kind: str, first: int, last: int, folder: Path) -> None:
    """Read the mutants of these seeds; what is not one line that names the file is raised."""
    base, mutant = folder / "base.h5", folder / "mutant.h5"
    read = read_genotypes if kind == "genotypes" else read_dna
    if kind == "genotypes":
        write_genotypes(base)
    else:
        k, stride = (5, 2) if kind == "kmer" else (None, None)
        write_dna(base, DnaEncoding(encoding=kind, length=LENGTH, k=k, stride=stride))
    read(base)
    data, refused = base.read_bytes(), 0
    warnings.simplefilter("error")
    for seed in range(first, last):
        print(f"seed {seed}", flush=True)
        mutant.write_bytes(mutated(data, np.random.default_rng(seed)))
        try:
            read(mutant)
        except TfbindError as error:
            if str(mutant) not in str(error):
                raise AssertionError(f"the message does not name the file: {error}") from error
            refused += 1
    print(f"{refused} refused")


if __name__ == "__main__":
    run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
