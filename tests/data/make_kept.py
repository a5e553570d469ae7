"""Make a model file of each kind, and a genotypes tensors file, in the formats that this version of tfbind writes.

    python tests/data/make_kept.py make FOLDER       make new files
    python tests/data/make_kept.py expect FILE ...   add to kept.json what these predict or hold

README.md beside it says when. The networks are tiny and mean nothing. Their weights are rounded to sixteenths, which
the zip packs tightly. `tests/test_kept_files.py` takes `predictions` and `contents` from here.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import tempfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tfbind.background.fitting import fit_background
from tfbind.background.model import BackgroundModel
from tfbind.background.options import FITTING, BackgroundOptions
from tfbind.binding.encoding.from_fasta import encode_fasta
from tfbind.binding.learning.ensemble import train_ensemble
from tfbind.binding.learning.training import train
from tfbind.binding.model.model import BindingModel
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import decode_letters, encode_letters, one_hot
from tfbind.genotype_tensors import open_regions, packed, write_regions
from tfbind.genotypes.features import FEATURES
from tfbind.genotypes.prior import Prior
from tfbind.genotypes.simulation import Setting, simulate_region
from tfbind.inference.tokens import TokenEngine
from tfbind.recombination.learning.relernn import train_relernn
from tfbind.recombination.learning.simulations import write_simulations
from tfbind.recombination.learning.training import train_rates
from tfbind.recombination.mapping.card import read_rate_card
from tfbind.recombination.mapping.rate_model import load_rate_model
from tfbind.recombination.mapping.relernn import RelernnModel
from tfbind.recombination.mapping.site_windows import cut_windows, stack_windows
from tfbind.recombination.options import OUTPUTS, RateOptions, RelernnOptions
from tfbind.tables import write_json
from tfbind.tensor_files import FORMAT_VERSION as TENSORS_VERSION
from tfbind.training.model_file import (
    CARD,
    FORMAT_VERSION,
    WEIGHTS,
    _write_members,
    fill,
    read_members,
    read_values,
)
from tfbind.training.options import FitOptions
from tfbind.training.stored_network import read_network

DATA = Path(__file__).parent
KEPT = DATA / "kept.json"
REGIONS = DATA / "tensors-1.0-genotypes.h5"
SEQUENCES = (
    "ACGTTGCAACGTGACGTCATTGACCAGTAC",
    "TTTTTTTTTTTTTTTTTTTTTTTTTTTTTT",
    "GATTACAGATTACANNNNTACAGATTACAG",
    "CAGGATGACGTCAG",
    "CCCCGGGGTTTTAAAACCCGGGTTTAAACG",
    "AGCTAGCTAGGATCGATTTCGATATATTGC",
)
FITTED = FitOptions(epochs=4, batch_size=16, learning_rate=1e-2)
SETTING = Setting(
    prior=Prior().changed({"landscapes": {"flat": 1}, "diversity": 1e-3, "chip": 0, "structure": 0}),
    length=40_000,
    samples=3,
    perfect=True,
)
NOISY = replace(
    SETTING, prior=Prior().changed({"diversity": 1e-3, "chip": 0, "structure": 0}), perfect=False, samples=5
)
HAPLOID = replace(NOISY, ploidy=1, samples=9)


def write_fasta(path: Path, n: int, length: int, seed: int, site: str = "") -> Path:
    """Write ``n`` random sequences, each with a site in its middle."""
    letters = np.random.default_rng(seed).choice(list("ACGT"), (n, length))
    start = (length - len(site)) // 2
    letters[:, start : start + len(site)] = list(site)
    path.write_text("".join(f">{path.stem}_{i}\n{''.join(row)}\n" for i, row in enumerate(letters)))
    return path


def rounded(values: np.ndarray) -> np.ndarray:
    """Round to sixteenths, none of them 0 where the value was not, so that every weight still counts."""
    return (np.sign(values) * np.maximum(np.round(np.abs(values) * 16), values != 0) / 16).astype(np.float32)


def shrink(path: Path) -> None:
    """Round the weights of a model file."""
    members = read_members(path)
    card = json.loads(members.pop(CARD))
    for name in [name for name in members if name.endswith(WEIGHTS)]:
        weights = io.BytesIO(members[name])
        with h5py.File(weights, "r+") as file:

            def change(_: str, found: h5py.Dataset | h5py.Group) -> None:
                if isinstance(found, h5py.Dataset) and found.dtype == np.float32:
                    found[...] = rounded(found[...])

            file.visititems(change)
        members[name] = weights.getvalue()
        card["sha256"][name] = sha256(members[name]).hexdigest()
    if card["kind"] == "binding":
        # the trained one may be so steep that the last digit of a logit shows in the probability
        card["calibration"] |= {"slope": [0.25], "intercept": [0.25]}
    if card.get("gkm"):
        gkm = np.frombuffer(base64.b64decode(card["gkm"]), "<f4")
        card["gkm"] = base64.b64encode(rounded(gkm).astype("<f4").tobytes()).decode()
    _write_members(path, card, members)


def make_binding(folder: Path, work: Path) -> None:
    """Make a model that reads one-hot DNA and evidence tracks, and one that reads k-mers."""
    positives = write_fasta(work / "bound.fa", 40, 30, 1, "TGACGTCA")
    negatives = write_fasta(work / "unbound.fa", 40, 30, 2)
    small = {"units": 2, "filters": 3, "kernel_size": 5, "embedding": 3}
    for name, architecture, epochs, options in (
        ("binding", "gkm-bilstm", 4, EncodeOptions(length=30)),
        ("kmer", "conv-bilstm", 40, EncodeOptions(length=30, encoding="kmer", k=2, stride=1)),
    ):
        encode_fasta(work / f"{name}.h5", positives, negatives, "CTCF", options)
        path = folder / f"model-{FORMAT_VERSION}-{name}.keras"
        train(
            work / f"{name}.h5",
            path,
            architecture=architecture,
            network_values=small,
            options=replace(FITTED, epochs=epochs),
            threads=1,
            resume=False,
        )
        shrink(path)


def make_ensemble(folder: Path, work: Path) -> None:
    """Make an ensemble of two networks that read one-hot DNA."""
    positives = write_fasta(work / "bound.fa", 40, 30, 1, "TGACGTCA")
    negatives = write_fasta(work / "unbound.fa", 40, 30, 2)
    encode_fasta(work / "ensemble.h5", positives, negatives, "CTCF", EncodeOptions(length=30))
    path = folder / f"model-{FORMAT_VERSION}-ensemble.keras"
    train_ensemble(
        work / "ensemble.h5",
        path,
        seeds=(0, 1),
        architecture="conv-bigru",
        network_values={"units": 2, "filters": 3, "kernel_size": 5},
        options=FITTED,
        threads=1,
        resume=False,
    )
    shrink(path)


def make_background(folder: Path, work: Path) -> None:
    """Make a model of the next base."""
    path = folder / f"model-{FORMAT_VERSION}-background.keras"
    fit_background(
        write_fasta(work / "genome.fa", 2, 30_000, 1),
        path,
        options=BackgroundOptions(units=3, window=64),
        fitting=replace(FITTING, epochs=1),
        threads=1,
        resume=False,
    )
    shrink(path)


def make_rates(folder: Path, work: Path) -> None:
    """Make a model of rates that reads tokens, and one that reads sites."""
    write_simulations(SETTING, work / "sims.h5", replicates=24, seed=1)
    rates, relernn = (folder / f"model-{FORMAT_VERSION}-{name}.keras" for name in ("rates", "relernn"))
    fixed = {"fitting": FITTED, "threads": 1, "resume": False}
    # narrower ones crash OpenVINO if its kernels are held to AVX2 (ONEDNN_MAX_CPU_ISA=AVX2)
    train_rates([work / "sims.h5"], rates, options=RateOptions(units=8, layers=1, crop=16), **fixed)
    train_relernn([work / "sims.h5"], relernn, options=RelernnOptions(units=2, window=10_000), **fixed)
    for path in (rates, relernn):
        shrink(path)


def make_genotypes(folder: Path) -> None:
    """Write two regions without noise, and three with noise: of unphased samples, with missing calls, and haploid."""
    with write_regions(
        folder / f"tensors-{TENSORS_VERSION}-genotypes.h5",
        source=[],
        setting={"made": "tests/data/make_kept.py"},
    ) as file:
        for setting, replicate in ((SETTING, 100), (SETTING, 101), (NOISY, 6), (NOISY, 10), (HAPLOID, 5)):
            file.append(packed(simulate_region(setting, 1, replicate)))


def make(folder: Path) -> None:
    """Make all of them, and remove what the verbs write beside the models."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as work:
        make_binding(folder, Path(work))
        make_ensemble(folder, Path(work))
        make_background(folder, Path(work))
        make_rates(folder, Path(work))
    make_genotypes(folder)
    for path in folder.iterdir():
        if path.suffix in (".json", ".tsv"):
            path.unlink()


def predictions(path: Path, engine: str) -> dict[str, Any]:
    """What a model predicts: numbers by name, or text.

    Parameters
    ----------
    path : Path
    engine : "keras" or "openvino"
    """
    kind = json.loads(read_members(path)[CARD])["kind"]
    return {"binding": _probabilities, "background": _next_bases, "rates": _rates}[kind](path, engine)


def _probabilities(path: Path, engine: str) -> dict[str, Any]:
    model = BindingModel(path, engine=engine, threads=1)
    codes = np.array([encode_letters(sequence.ljust(30, "N")) for sequence in SEQUENCES])
    valid_length = np.array([len(sequence) for sequence in SEQUENCES], np.int32)
    return {"probability": model.probabilities(codes, valid_length)[:, 0].tolist()}


def _next_bases(path: Path, engine: str) -> dict[str, Any]:
    assert engine == "keras"
    model = BackgroundModel(path, threads=1)

    from tfbind.networks.next_base import next_base_network
    from tfbind.training.forward import make_forward

    card = model.card
    network = next_base_network(cell=card.cell, units=card.units, layers=card.layers)
    fill(network, path)
    x = one_hot(np.array([encode_letters(SEQUENCES[0])]))
    logits = make_forward(network)(x, np.array([30], np.int32))
    drawn = model.sample(np.random.default_rng(1).random((1, 40), np.float32))
    return {"logits": logits[0, ::5].ravel().tolist(), "sequence": decode_letters(drawn[0])}


def _rates(path: Path, engine: str) -> dict[str, Any]:
    if read_values(path, "rates").get("architecture") == "relernn":
        assert engine == "keras"
        model = load_rate_model(path, threads=1)
        assert isinstance(model, RelernnModel)
        found = {}
        with open_regions(REGIONS) as regions:
            # only these are of three phased diploids, which it reads and nothing else
            for region in map(regions.region, range(2)):
                windows = cut_windows(region.genotypes(), np.arange(0, 40_000, 10_000), 10_000)
                outputs = model._outputs(*stack_windows(windows, model.card.sites))
                found[f"outputs {region.id}"] = outputs[:, 0].tolist()
        return found
    rng = np.random.default_rng(1)
    x, valid_length = rng.normal(size=(2, 20, len(FEATURES))).astype(np.float32), np.array([20, 13], np.int32)
    if engine == "openvino":
        network = read_network(path, read_rate_card(path).outline)
        outputs = TokenEngine(network, shape=x.shape, threads=1).run(x, valid_length)
    else:
        from tfbind.networks.rates import rate_network
        from tfbind.training.forward import make_forward

        made = read_rate_card(path).network
        shape = {"features": len(FEATURES), "outputs": OUTPUTS, "layers": made.layers}
        network = rate_network(cell=made.cell, units=made.units, **shape)
        fill(network, path)
        outputs = make_forward(network)(x, valid_length)
    return {f"outputs {row}": outputs[row, : valid_length[row] : 4].ravel().tolist() for row in range(2)}


def contents(path: Path) -> dict[str, Any]:
    """What a genotypes tensors file holds: numbers and text by region."""
    found: dict[str, Any] = {}
    with open_regions(path) as regions:
        for region in map(regions.region, range(len(regions))):
            found[region.id] = {
                "length": region.length,
                "position": " ".join(map(str, region.position)),
                "haplotypes": " ".join(
                    "".join(".01"[call + 1] for call in site) for site in region.haplotypes
                ),
                "ploidy": region.ploidy,
                "phased": region.phased,
                "mutation_rate": region.mutation_rate,
                "diversity": region.diversity,
                "rate_start": region.rate_start.tolist(),
                "rate": region.rate.tolist(),
                "parameters": region.parameters,
            }
    return found


def expect(paths: list[Path]) -> None:
    """Add what models predict, or what a tensors file holds, to kept.json; refuse to change what is there."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for path in paths:
        if path.name in kept:
            sys.exit(f"{KEPT}: has {path.name} already, which must predict this for ever")
        kept[path.name] = contents(path) if path.suffix == ".h5" else predictions(path, "keras")
    write_json(KEPT, dict(sorted(kept.items())))


if __name__ == "__main__":
    verb, *paths = sys.argv[1:]
    if verb == "make":
        make(Path(paths[0]))
    else:
        expect(list(map(Path, paths)))
