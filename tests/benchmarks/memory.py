"""How much memory the map of thousands of samples takes: packed calls of a simulated region, repeated along a contig.

Reading a VCF is not part of it: that holds the packed calls (one byte for four of them) and little more.
"""

from __future__ import annotations

import argparse
import resource
import time

import msprime
import numpy as np

from tfbind.genotypes.contig import Genotypes
from tfbind.genotypes.packed import PackedCalls, pack_rows, packed_bytes
from tfbind.recombination.mapping import rate_model
from tfbind.recombination.mapping.prediction import map_contig

REGION = 3e6
LEAST_FREQUENCY = 0.005


def simulated(samples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Simulate common sites of phased diploids: packed calls (sites, bytes) uint8, and positions, each once."""
    trees = msprime.sim_ancestry(
        samples, population_size=1e4, sequence_length=REGION, recombination_rate=1e-8, random_seed=seed
    )
    trees = msprime.sim_mutations(trees, rate=1.25e-8, random_seed=seed, model=msprime.BinaryMutationModel())
    codes, positions = [], []
    for variant in trees.variants():
        ones = int(variant.genotypes.sum())
        position = int(variant.site.position)
        is_new = not positions or position > positions[-1]
        if is_new and min(ones, 2 * samples - ones) >= LEAST_FREQUENCY * 2 * samples:
            row = np.empty((1, packed_bytes(2 * samples)), np.uint8)
            pack_rows(variant.genotypes[None].astype(np.int8), row)
            codes.append(row)
            positions.append(position)
    return np.concatenate(codes), np.array(positions)


def repeated(samples: int, n_sites: int, seed: int) -> Genotypes:
    """Repeat a simulated region along a contig until that has as many sites."""
    codes, positions = simulated(samples, seed)
    times = -(-n_sites // len(codes))
    calls = np.empty((n_sites, codes.shape[1]), np.uint8)
    for at in range(0, n_sites, len(codes)):
        calls[at : at + len(codes)] = codes[: n_sites - at]
    every = (positions + REGION * np.arange(times)[:, None]).reshape(-1)[:n_sites].astype(np.int64)
    return Genotypes(
        "1",
        every,
        PackedCalls(calls, 2 * samples),
        1,
        0,
        int(every[-1]) + 1,
        tuple(f"s{i}" for i in range(samples)),
        sample=np.repeat(np.arange(samples), 2),
    ).recounted()


def main() -> None:
    """Print the peak of memory, and the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=3_000)
    parser.add_argument("--sites", type=int, default=1_200_000)
    parser.add_argument("--network-every", type=int, default=1, help="run it on one batch out of this many")
    parser.add_argument("--seed", type=int, default=5)
    args = parser.parse_args()
    model = rate_model.load_rate_model(threads=1)
    assert isinstance(model, rate_model.RateModel)
    network, n_batches = model._outputs, 0

    def outputs(x: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
        nonlocal n_batches
        n_batches += 1
        if n_batches % args.network_every == 0:
            return network(x, valid_length)
        return x[..., : rate_model.OUTPUTS] * np.float32(0.1)

    model._outputs = outputs
    genotypes = repeated(args.samples, args.sites, args.seed)
    start = time.monotonic()
    found = map_contig(genotypes, model, "contig 1", keep_calls=False)
    rows = sum(len(found.table(resolution)) for resolution in (10_000, 100_000))
    found.mean_rate(10_000)
    found.hotspots(5.0)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(
        f"{args.samples:,} diploids, {args.sites:,} sites: {rows:,} windows, peak {peak:.2f} GB,"
        f" {time.monotonic() - start:,.0f} s"
    )


if __name__ == "__main__":
    main()
