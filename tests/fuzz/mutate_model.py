"""Model files as a stranger might send them: one thing changed in the card, the config, the weights or the zip.

``python tests/fuzz/mutate_model.py SEED N [KIND ...]`` loads N mutants, and predicts with those that are accepted.
"""

from __future__ import annotations

import copy
import hashlib
import io
import json
import random
import sys
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tfbind.errors import TfbindError
from tfbind.networks.outlines import next_base_outline, relernn_outline
from tfbind.training.model_file import read_values
from tfbind.training.stored_network import read_network

DATA = Path(__file__).parents[1] / "data"
SEEDS = {
    "binding": "model-1.0-binding.keras",
    "kmer": "model-1.1-kmer.keras",
    "gkm": "model-1.1-binding.keras",
    "ensemble": "model-1.3-ensemble.keras",
    "background": "model-1.1-background.keras",
    "rates": "model-1.2-rates.keras",
    "relernn": "model-1.1-relernn.keras",
}
CARD, CONFIG, WEIGHTS = "tfbind.json", "config.json", "model.weights.h5"


class Raw:
    """Text that goes into the JSON as it is."""

    def __init__(self, text: str):
        self.text = text


DEEP: Any = "leaf"
for _ in range(300):
    DEEP = [DEEP]
VALUES = [
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2,
        3.5,
        -0.0,
        1e-30,
        1e29,
        -1e300,
        10**7,
        2**31,
        2**63,
        10**40,
        "",
        "a",
        "7",
    ),
    *(
        "a\tb",
        "a\nb",
        "<script>alert(1)</script>",
        "x" * 300,
        "\u202e",
        "\x00",
        "../../etc/passwd",
        "=1+1",
        "AAAA",
    ),
    *([], {}, [[]], [None], {"": 0}, [1.0] * 1000, DEEP),
    *map(
        Raw, ("NaN", "Infinity", "-Infinity", "1e999", "1" * 5000, '"\\ud800"', "[" * 20_000 + "]" * 20_000)
    ),
]


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in JSON, the long lists by their first few items."""
    yield at
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*at, key))
    elif isinstance(value, list):
        for i in range(min(len(value), 3)):
            yield from places(value[i], (*at, i))


def mutated(values: Any, rng: random.Random) -> tuple[str, str]:
    """Change one place of JSON; give the text, and what was done."""
    values = copy.deepcopy(values)
    found = list(places(values))
    # what a network is made of is a small part of a card, most of which is its history
    near = [at for at in found if "training" not in at] or found
    at = rng.choice(near if rng.random() < 0.8 else found)
    new = rng.choice(VALUES)
    shown = new.text[:40] if isinstance(new, Raw) else repr(new)[:40]
    marker = "@@RAW@@"
    value = marker if isinstance(new, Raw) else new
    if not at:
        values = value
    else:
        holder = values
        for step in at[:-1]:
            holder = holder[step]
        way = rng.random()
        if way < 0.1:
            del holder[at[-1]]
            shown = "deleted"
        elif way < 0.2 and isinstance(holder, dict):
            holder["other"] = value
            shown = f"other = {shown}"
        elif way < 0.4 and isinstance(holder[at[-1]], (int, float)) and not isinstance(holder[at[-1]], bool):
            holder[at[-1]] = rng.choice(
                [holder[at[-1]] + 1, holder[at[-1]] - 1, -holder[at[-1]], holder[at[-1]] * 7]
            )
            shown = repr(holder[at[-1]])
        else:
            holder[at[-1]] = value
    text = json.dumps(values)
    if isinstance(new, Raw):
        text = text.replace(json.dumps(marker), new.text)
    return text, f"{'.'.join(map(str, at))} = {shown}"


def mutated_weights(data: bytes, rng: random.Random, folder: Path) -> tuple[bytes, str]:
    """Change one data set of the weights, or their bytes."""
    if rng.random() < 0.3:
        changed = bytearray(data)
        for _ in range(rng.choice([1, 4, 64])):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        return bytes(changed), "bytes of the weights"
    stored = io.BytesIO(data)
    with h5py.File(stored, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        name = rng.choice(names)
        values = file[name][()]
        del file[name]
        way = rng.choice(
            ["nan", "inf", "huge", "shape", "rank", "f8", "i4", "text", "none", "soft", "external", "virtual", "raw",
             "group", "chunks", "scalar", "f2"]
        )  # fmt: skip
        target = folder / "target.h5"
        if way in ("nan", "inf", "huge"):
            values.flat[rng.randrange(values.size)] = {"nan": np.nan, "inf": np.inf, "huge": 3e38}[way]
            file[name] = values
        elif way == "shape":
            file[name] = np.concatenate([values, values])
        elif way == "rank":
            file[name] = values[None]
        elif way in ("f8", "i4", "f2"):
            file[name] = values.astype(way)
        elif way == "text":
            file[name] = "text"
        elif way == "soft":
            file[name] = h5py.SoftLink("/nowhere")
        elif way == "external":
            file[name] = h5py.ExternalLink(str(target), "x")
        elif way == "virtual":
            layout = h5py.VirtualLayout(values.shape, values.dtype)
            layout[...] = h5py.VirtualSource(str(target), "x", values.shape)
            file.create_virtual_dataset(name, layout)
        elif way == "raw":
            file.create_dataset(
                name, values.shape, values.dtype, external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)]
            )
        elif way == "group":
            file.create_group(name)
        elif way == "chunks":
            file.create_dataset(name, data=values, chunks=True, compression="gzip")
        elif way == "scalar":
            file[name] = np.float32(1)
    return stored.getvalue(), f"{name}: {way}"


def mutant(seed: Path, output: Path, rng: random.Random) -> str:
    """Write a mutant of a model file, with checksums that are right; say what was changed."""
    with zipfile.ZipFile(seed) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    card = json.loads(members[CARD])
    way = rng.choices(["card", "config", "weights", "zip"], [6, 3, 3, 1])[0]
    if way == "zip":
        data = bytearray(seed.read_bytes())
        for _ in range(rng.choice([1, 1, 8])):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        output.write_bytes(data[: rng.randrange(len(data))] if rng.random() < 0.1 else data)
        return "bytes of the zip"
    # an ensemble has several of each
    names = [name for name in members if name.endswith(CONFIG if way == "config" else WEIGHTS)]
    name = names[0] if len(names) == 1 else rng.choice(names)
    if way == "config":
        text, done = mutated(json.loads(members[name]), rng)
        members[name] = text.encode("utf-8", "surrogatepass")
    elif way == "weights":
        members[name], done = mutated_weights(members[name], rng, output.parent)
    card["sha256"] = {
        name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name != CARD
    }
    if way == "card":
        text, done = mutated(card, rng)
        members[CARD] = text.encode("utf-8", "surrogatepass")
    else:
        members[CARD] = json.dumps(card).encode()
    with zipfile.ZipFile(output, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return f"{way}: {done}"


def use(kind: str, path: Path, engine: str) -> None:
    """Load a model file and predict with it.

    Raises
    ------
    TfbindError
        If it is refused.
    AssertionError
        If what it gives is not finite.
    """
    if kind in ("binding", "kmer", "gkm", "ensemble"):
        from tfbind.binding.model.model import BindingModel

        model = BindingModel(path, engine=engine, threads=1)
        length = model.card.encoding.length
        codes = np.random.default_rng(1).integers(0, 4, (3, length)).astype(np.uint8)
        found = model.probabilities(codes, np.full(3, length, np.int32))
        assert found.shape == (3, len(model.card.tasks))
    elif kind == "background":
        from tfbind.background.model import BackgroundModel, read_background_card

        card = read_background_card(path)
        read_network(path, next_base_outline(cell=card.cell, units=card.units, layers=card.layers))
        if engine != "keras":
            return
        found = BackgroundModel(path, threads=1).sample(np.full((1, 3), 0.3, np.float32))
    else:
        from tfbind.recombination.mapping.rate_model import load_rate_model, read_in_chunks
        from tfbind.recombination.mapping.relernn import RelernnModel
        from tfbind.recombination.mapping.schema import check_site_card
        from tfbind.recombination.mapping.site_windows import SiteWindow

        rng = np.random.default_rng(1)
        if kind == "relernn":
            found = check_site_card(path, read_values(path, "rates"))
            outline = relernn_outline(columns=found.sample.columns, sites=found.sites, units=found.units)
            read_network(path, outline)
            if engine != "keras":
                return
            model = load_rate_model(path, threads=1)
            assert isinstance(model, RelernnModel)
            columns = model.card.sample.columns
            places = np.linspace(0, 1, 5, dtype=np.float32)
            found = model.rates([SiteWindow(np.ones((5, columns), np.int8), places)])
        else:
            model = load_rate_model(path, threads=1)
            x = rng.normal(size=(40, len(model.card.scaling.mean)))
            (found,) = read_in_chunks(model._outputs, [model.card.scaling.apply(x)])
            distance, _ = model.card.seen.distance(np.zeros(len(model.card.seen.mean)))
            assert np.isfinite(distance)
    assert np.isfinite(found).all()


def run(seed: int, n: int, kinds: list[str], engines: list[str]) -> tuple[Counter[str], list[str]]:
    """Load n mutants of each kind: how many were refused and accepted, and what failed in another way."""
    counts: Counter[str] = Counter()
    failures = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "m.keras"
        with h5py.File(Path(folder) / "target.h5", "w") as target:
            target["x"] = np.ones(3, np.float32)
        for kind in kinds:
            for i in range(n):
                rng = random.Random(f"{kind} {seed} {i}")
                done = mutant(DATA / SEEDS[kind], path, rng)
                engine = engines[i % len(engines)]
                try:
                    use(kind, path, engine)
                    counts[f"{kind} accepted"] += 1
                except TfbindError as error:
                    counts[f"{kind} refused"] += 1
                    message = str(error)
                    if "\n" in message or len(message) > 500 or "m.keras" not in message:
                        failures.append(f"{kind} {seed} {i} {engine}: {done}: message {message!r}")
                except Exception:
                    failures.append(f"{kind} {seed} {i} {engine}: {done}: {traceback.format_exc()}")
    return counts, failures


if __name__ == "__main__":
    counts, failures = run(
        int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(SEEDS), ["openvino", "keras"]
    )
    print(dict(counts), *failures, sep="\n")
    sys.exit(bool(failures))
