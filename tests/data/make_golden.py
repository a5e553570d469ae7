"""Make the golden features and the golden map of resources/recombination/sim1.vcf.gz.

    python tests/data/make_golden.py

README.md beside it says when that is right. `tests/test_golden.py` takes `features` and `write_map` from here.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tfbind import cli
from tfbind.genotypes.contig import MISSING, Genotypes
from tfbind.genotypes.features import FEATURES, FEATURES_VERSION, compute_features
from tfbind.genotypes.mask import Accessible
from tfbind.genotypes.vcf import read_genotypes

DATA = Path(__file__).parent
VCF = DATA.parents[1] / "resources" / "recombination" / "sim1.vcf.gz"
GOLDEN_FEATURES = DATA / "golden-features.npz"
GOLDEN_MAP = DATA / "golden-map.tsv"
# of each case every so many tokens are kept, and the means over all of them
KEPT = {"plain": 8, "unphased": 40, "hard": 40, "diversity given": 80}
GAP = (800_000, 860_000)


def features() -> dict[str, np.ndarray]:
    """Compute the features of each case, (tokens, features) float32 by name.

    plain : phased, complete and without a mask
    unphased : the same as unphased diploids
    hard : with missing calls, masked bases and a gap, and tokens that begin elsewhere
    diversity given : as a chip's
    """
    (phased,) = read_genotypes(VCF)
    (unphased,) = read_genotypes(VCF, unphased=True)
    found = {
        "plain": compute_features(phased),
        "unphased": compute_features(unphased),
        "hard": compute_features(*hard(phased), shift=0.25),
        "diversity given": compute_features(phased, diversity=5e-4),
    }
    return {name: each.x for name, each in found.items()}


def hard(genotypes: Genotypes) -> tuple[Genotypes, Accessible]:
    """Mask the last 2 kb of every 10 kb, empty GAP of sites, and take away one call in 29."""
    starts = np.arange(0, 2_000_000, 10_000)
    mask = Accessible(starts, starts + 8_000)
    at = genotypes.positions
    kept = (at % 10_000 < 8_000) & ((at < GAP[0]) | (at >= GAP[1]))
    calls = np.array(genotypes.calls[kept])
    site, column = np.indices(calls.shape)
    calls[(7 * site + 13 * column) % 29 == 0] = MISSING
    # as reading drops a site at which nothing varies
    varies = ((calls == 1).any(axis=1)) & ((calls == 0).any(axis=1))
    return replace(genotypes, positions=at[kept][varies], calls=calls[varies]).recounted(), mask


def write_map(path: Path) -> None:
    """Write the map that the shipped network draws."""
    given = ("--vcf", VCF, "--mutation-rate", "1.25e-8", "--resolution", 100_000, "--threads", 1)
    assert cli.main(["recombination", "predict", *map(str, (*given, "-o", path))]) == 0


def main() -> None:
    """Write both files."""
    kept = {"features_version": np.array(FEATURES_VERSION), "features": np.array(FEATURES)}
    for name, x in features().items():
        kept |= {name: x[:: KEPT[name]], f"{name}: means": x.mean(axis=0, dtype=np.float64)}
    np.savez_compressed(GOLDEN_FEATURES, **kept)
    write_map(GOLDEN_MAP)


if __name__ == "__main__":
    main()
