"""Random labels cannot be predicted, so whatever predicts them has seen windows of the same locus in training."""

import numpy as np
import pytest

from tfbind.binding.encoding.from_fasta import encode_fasta
from tfbind.binding.evaluation.measure import (
    evaluate,
    examples_from_fasta,
    examples_from_tensors,
    refuse_seen,
)
from tfbind.binding.model.model import BindingModel
from tfbind.binding.options import EncodeOptions
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors

N_LOCI, LENGTH, SHIFTS = 200, 101, (0, 20, 40, 60, 80)
STYLES = {
    "bedtools": "{c}:{s}-{e}",
    "bedtools -name": "peak{i}::{c}:{s}-{e}(+)",
    "samtools": "{c}:{s1}-{e}",
    "ucsc": "hg38_ct_x_{i} range={c}:{s1}-{e} 5'pad=0 3'pad=0 strand=+ repeatMasking=none",
    "ensembl": "r{i} chromosome:GRCh38:{c}:{s1}:{e}:1",
    "homer": "hg38_{c}_{s}_{e}_+",
    "none": "r{i}",
}


@pytest.fixture(scope="module")
def loci():
    """200 loci of 400 bases, and which of them are called bound, at random."""
    rng = np.random.default_rng(11)
    loci = ["".join(row) for row in rng.choice(list("ACGT"), (N_LOCI, 400))]
    return loci, rng.permutation(N_LOCI) % 2 == 1


def write(folder, loci, style, shifts=SHIFTS):
    """Windows of the loci in ``positives.fa`` and ``negatives.fa``, in random order."""
    sequences, bound = loci
    rng = np.random.default_rng(12)
    for name, label in (("positives", True), ("negatives", False)):
        rows = [(row, shift) for row in np.flatnonzero(bound == label) for shift in shifts]
        with (folder / f"{name}.fa").open("w") as handle:
            for row, shift in rng.permutation(rows):
                start = 1000 * row + shift
                place = {"c": f"chr{1 + row % 3}", "s": start, "s1": start + 1, "e": start + LENGTH}
                header = STYLES[style].format(i=1000 * row + shift, **place)
                handle.write(f">{header}\n{sequences[row][shift : shift + LENGTH]}\n")
    return folder / "positives.fa", folder / "negatives.fa"


def encoded(folder, loci, style, **options):
    options = EncodeOptions(length=LENGTH, split=(0.5, 0.15, 0.35), **options)
    encode_fasta(folder / "t.h5", *write(folder, loci, style), "X", options)
    return folder / "t.h5"


@pytest.mark.parametrize("style", STYLES)
def test_the_windows_of_a_locus_are_in_one_part(tmp_path, loci, style):
    with open_tensors(encoded(tmp_path, loci, style)) as tensors:
        ids, codes, split = tensors.text("id"), tensors.codes(np.arange(len(tensors))), tensors.split
        intervals = tensors.intervals()
    assert len(ids) == N_LOCI * len(SHIFTS)
    assert [interval is None for interval in intervals] == [style == "none"] * len(ids)
    # the bases that all five windows of a locus share
    text = ["".join("ACGT"[code] for code in row) for row in codes]
    parts = [{split[row] for row, bases in enumerate(text) if locus[80:101] in bases} for locus in loci[0]]
    assert {len(part) for part in parts} == {1}
    assert len(set().union(*parts)) == 3


@pytest.mark.parametrize("style", [style for style in STYLES if style != "none"])
def test_contigs_are_held_out_whatever_the_style(tmp_path, loci, style):
    with open_tensors(
        encoded(tmp_path, loci, style, test_contigs=("2",), validation_contigs=("chr3",))
    ) as tensors:
        found = {
            (interval[0], part) for interval, part in zip(tensors.intervals(), tensors.split, strict=True)
        }
    assert found == {("chr1", 0), ("chr2", 2), ("chr3", 1)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, loci, train_small):
    """Tensors of windows without coordinates, and a linear model of gapped k-mers."""
    folder = tmp_path_factory.mktemp("trained")
    path = encoded(folder, loci, "none")
    train_small(path, folder / "m.keras", architecture="gkm-linear", network={})
    return path, BindingModel(folder / "m.keras", threads=1)


def test_random_labels_are_not_predicted(trained):
    path, model = trained
    examples = refuse_seen(examples_from_tensors(path, "test", model), model, "t.h5")
    assert not examples.seen.any()
    metrics = evaluate(model, examples, seed=0).metrics["X"]
    assert metrics["n_seen"] == 0
    # of 70 loci in two classes the area of random scores has a standard deviation of .07
    assert abs(metrics["auroc"] - 0.5) < 0.2


def test_shifted_windows_are_refused(trained, loci, tmp_path):
    # they would score an AUROC of nearly 1
    _, model = trained
    examples = examples_from_fasta(*write(tmp_path, loci, "none", shifts=(10, 30)), model)
    with pytest.raises(
        TfbindError, match=r"2\d\d of 400 sequences, such as 'r\d+', overlap sequences in the training"
    ):
        refuse_seen(examples, model, "p.fa and n.fa")
    found = evaluate(model, refuse_seen(examples, model, "p.fa and n.fa", allow=True), seed=0)
    assert found.metrics["X"]["auroc"] > 0.75
    assert 240 <= found.metrics["X"]["n_seen"] <= 280
    assert "because of --allow-overlap" in found.notes[-1]
