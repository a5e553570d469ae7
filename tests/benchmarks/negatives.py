"""Judge trained models against several kinds of negatives.

    python tests/benchmarks/negatives.py ../shared/data/encode/* --runs out --architectures gkm-bilstm gkm-linear \
        --genomic ../shared/data/gata4/top5k.neg.fa.gz -o out-negatives

``--runs`` is the output of binding.py (its seed 0). Of each set's test positives, against

shuffled : the test file's own shuffles
genomic : windows of the same G+C content out of ``--genomic``, sequences of a genome that nothing is known to bind
others : the test positives of the other sets, without those that are among the set's training peaks
control : those genomic windows as if they were bound, against their own dinucleotide shuffles: a model that sees
    binding sites and not shuffling gives .5
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import numpy as np
import pandas as pd
from Bio import SeqIO
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from Bio.SeqUtils import gc_fraction

from binding import tfbind
from tfbind.dna.alphabet import decode_letters, encode_letters
from tfbind.dna.shuffle import dinucleotide_shuffle
from tfbind.files import open_text


def read(path: Path) -> list[SeqRecord]:
    """Read a FASTA file."""
    with open_text(path) as handle:
        return list(SeqIO.parse(handle, "fasta"))


def windows(records: list[SeqRecord], length: int) -> list[SeqRecord]:
    """Cut records into windows side by side that know all their bases."""
    found = []
    for record in records:
        for start in range(0, len(record) - length + 1, length):
            window = record[start : start + length].upper()
            if "N" not in window.seq:
                window.id = window.description = f"{record.id}_{start}"
                found.append(window)
    return found


def match_gc(positives: list[SeqRecord], pool: list[SeqRecord], seed: int) -> list[SeqRecord]:
    """Draw a window for each positive, out of those left whose G+C content is nearest."""
    order = random.Random(seed).sample(pool, len(pool))
    share = np.array([gc_fraction(record.seq) for record in order])
    chosen = []
    for positive in positives:
        nearest = int(np.abs(share - gc_fraction(positive.seq)).argmin())
        chosen.append(order[nearest])
        share[nearest] = np.inf
    return chosen


def shuffled(records: list[SeqRecord], seed: int) -> list[SeqRecord]:
    """Shuffle records of one length, keeping their dinucleotides."""
    codes = np.stack([encode_letters(str(record.seq)) for record in records])
    length = np.full(len(records), codes.shape[1], np.int32)
    made = dinucleotide_shuffle(codes, length, np.arange(len(records), dtype=np.uint64) + seed)
    return [
        SeqRecord(Seq(decode_letters(row)), id=f"{record.id}_shuffled", description="")
        for record, row in zip(records, made, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--architectures", nargs="+", required=True)
    parser.add_argument("--genomic", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    tested = {folder.name: read(folder / "test.pos.fa.gz") for folder in options.folders}
    genomic = windows(read(options.genomic), len(next(iter(tested.values()))[0]))
    rows = []
    for folder in options.folders:
        name = folder.name
        own = {str(record.seq).upper() for record in read(folder / "train.pos.fa.gz")}
        matched = match_gc(tested[name], genomic, 0)
        against = {
            "shuffled": (tested[name], read(folder / "test.neg.fa.gz")),
            "genomic": (tested[name], matched),
            "others": (
                tested[name],
                [
                    record
                    for other, records in tested.items()
                    for record in records
                    if other != name and not own & {str(record.seq), str(record.seq.reverse_complement())}
                ],
            ),
            "control": (matched, shuffled(matched, 0)),
        }
        for kind, (positives, negatives) in against.items():
            paths = [options.output / f"{name}.{kind}.{label}.fa" for label in ("bound", "unbound")]
            for path, records in zip(paths, (positives, negatives), strict=True):
                SeqIO.write(records, path, "fasta")
            for architecture in options.architectures:
                model = options.runs / f"{name}.{architecture}.0" / "model.keras"
                result = options.output / f"{name}.{kind}.{architecture}"
                examples = ["--positives", paths[0], "--negatives", paths[1]]
                tfbind("evaluate", "--model", model, *examples, "-o", result)
                (metrics,) = json.loads((result / "metrics.json").read_text()).values()
                rows.append(
                    {"set": name, "negatives": kind, "architecture": architecture, "auroc": metrics["auroc"]}
                )
    table = pd.DataFrame(rows)
    table.to_csv(options.output / "table.tsv", sep="\t", index=False)
    summary = table.pivot_table(
        "auroc", "set", ["negatives", "architecture"], margins=True, margins_name="mean"
    )
    print(summary.round(3).to_string())


if __name__ == "__main__":
    main()
