import json
from dataclasses import replace

import numpy as np
import pytest

from tfbind.background.model import BackgroundCard, BackgroundModel, save_background
from tfbind.binding.encoding.from_fasta import encode_fasta
from tfbind.binding.encoding.from_peaks import encode_peaks
from tfbind.binding.encoding.negatives import negative_maker
from tfbind.binding.evaluation.measure import BACKGROUND_NOTE, evaluate, examples_from_tensors
from tfbind.binding.learning.examples import BindingData
from tfbind.binding.model.model import BindingModel
from tfbind.binding.options import EncodeOptions
from tfbind.dna.alphabet import encode_letters
from tfbind.dna.digests import strand_canonical_digests
from tfbind.dna.fasta import Batch
from tfbind.errors import TfbindError
from tfbind.networks.next_base import next_base_network
from tfbind.tensors import open_tensors
from tfbind.training.device import prepare

LENGTH = 30


@pytest.fixture(scope="session")
def background(tmp_path_factory):
    """A background model that has learned nothing but to say A, C, G and T with 40, 10, 10 and 40%."""
    path = tmp_path_factory.mktemp("background") / "bg.keras"
    prepare(threads=1)
    network = next_base_network(cell="gru", units=3, layers=1)
    network.get_layer("logits").set_weights([np.zeros((3, 4)), np.log([0.4, 0.1, 0.1, 0.4])])
    save_background(path, network, BackgroundCard(cell="gru", units=3, layers=1, training={}))
    return path


@pytest.fixture
def options(background):
    return EncodeOptions(length=LENGTH, negative_method="background", background=background)


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "p.fa"
    rng = np.random.default_rng(5)
    with path.open("w") as handle:
        for number in range(40):
            contig = "chr1" if number % 2 else "chr2"
            sequence = "".join(rng.choice(list("ACGT"), LENGTH if number > 3 else 20))
            sequence = "NN" + sequence[2:10] + "n" + sequence[11:] if number in (1, 2) else sequence
            handle.write(f">{contig}:{1000 * number}-{1000 * number + len(sequence)}\n{sequence}\n")
    return path


class Read:
    """What a tensors file holds; the negatives' rows, and the rows of the positives that they were made for."""

    def __init__(self, path):
        with open_tensors(path) as tensors:
            self.id, self.parent, self.group = (tensors.text(name) for name in ("id", "parent", "group"))
            self.codes, self.valid_length = tensors.codes(np.arange(len(self.id))), tensors.valid_length
            self.y, self.split = tensors.y[:, 0], tensors.split
            self.attributes = dict(tensors.attributes)
        self.negatives = np.flatnonzero(self.y == 0)
        row = {name: number for number, name in enumerate(self.id)}
        self.positives = np.array([row[self.id[n].rsplit("_background_")[0]] for n in self.negatives])
        self.summary = json.loads(path.with_suffix(".summary.json").read_text())


@pytest.fixture
def read(fasta, tmp_path, options):
    def read(**changes):
        encode_fasta(tmp_path / "t.h5", fasta, None, "CTCF", replace(options, **changes))
        return Read(tmp_path / "t.h5")

    return read


class TestEncoded:
    @pytest.mark.parametrize(("ratio", "n"), [(0.5, 20), (1, 40), (2.5, 100)])
    def test_so_many_for_each_positive(self, read, ratio, n):
        found = read(negative_ratio=ratio)
        assert len(found.negatives) == n
        assert len(found.id) == 40 + n
        assert len(np.unique(found.codes, axis=0)) == 40 + n
        assert found.summary["counts"]["background sequences made"] == n
        assert found.summary["negative_method"] == found.attributes["negative_method"] == "background"
        assert [source["name"] for source in json.loads(found.attributes["source"])] == ["p.fa", "bg.keras"]

    def test_are_nobodys_shuffles(self, read):
        found = read()
        assert set(found.parent) == {""}
        bases = found.codes[found.negatives]
        assert np.bincount(bases[bases < 4]) / (bases < 4).sum() == pytest.approx(
            [0.4, 0.1, 0.1, 0.4], abs=0.05
        )

    def test_have_their_positives_length_ambiguous_bases_part_and_group(self, read):
        found = read()
        negatives, positives = found.negatives, found.positives
        assert (found.valid_length[negatives] == found.valid_length[positives]).all()
        assert ((found.codes[negatives] == 4) == (found.codes[positives] == 4)).all()
        assert (found.split[negatives] == found.split[positives]).all()
        assert (found.group[negatives] == found.group[positives]).all()
        assert set(found.split) == {0, 1, 2}

    def test_go_with_their_positives_where_contigs_are_held_out(self, read):
        found = read(test_contigs=("chr1",))
        assert ((found.split == 2) == (found.group == "chr1")).all()
        assert (found.split[found.negatives] == 2).sum() == 20

    def test_batches_do_not_matter(self, read, monkeypatch):
        whole = read(negative_ratio=1.5)
        monkeypatch.setattr("tfbind.dna.fasta.BATCH_RECORDS", 7)
        parts = read(negative_ratio=1.5)
        one, other = (dict(zip(found.id, map(bytes, found.codes), strict=True)) for found in (whole, parts))
        assert one == other

    def test_depend_on_the_seed(self, read):
        one, same, other = read(), read(), read(seed=1)
        assert (one.codes == same.codes).all()
        assert (one.codes[one.negatives] != other.codes[other.negatives]).any(axis=1).all()

    def test_for_peaks(self, tmp_path, options):
        rng = np.random.default_rng(3)
        (tmp_path / "g.fa").write_text(">c\n" + "".join(rng.choice(list("ACGT"), 3000)) + "\n")
        (tmp_path / "p.bed").write_text("".join(f"c\t{i}\t{i + 40}\n" for i in range(100, 2900, 100)))
        encode_peaks(tmp_path / "t.h5", tmp_path / "p.bed", tmp_path / "g.fa", "x", options)
        found = Read(tmp_path / "t.h5")
        assert len(found.negatives) == 28
        assert set(found.parent) == {""}


@pytest.fixture(scope="module")
def tensors(data, background):
    options = EncodeOptions(length=60, negative_method="background", background=background)
    encode_fasta(data / "background.h5", data / "positives.fa", None, "CREB", options)
    return data / "background.h5"


@pytest.fixture(scope="module")
def background_model_path(tensors, train_small):
    path = tensors.with_name("background_negatives.keras")
    train_small(tensors, path, architecture="gkm-linear", network={})
    return path


class TestTrained:
    def test_no_epoch_shows_shuffles(self, tensors):
        with open_tensors(tensors) as opened:
            data = BindingData(opened, 0)
        for epoch in range(2):
            (batch,) = data.batches(epoch, 1000)
            codes = data.encoder.encoding.decode(batch.inputs[0])
            shown = strand_canonical_digests(codes, batch.inputs[1])
            assert sorted(shown) == sorted(data.train.digests())

    def test_prevalence_has_no_meaning(self, background_model_path):
        with pytest.raises(
            TfbindError, match="was trained on sequences of a background model, which are no sample"
        ):
            BindingModel(background_model_path, threads=1, prevalence=0.01)

    def test_evaluation_says_so(self, background_model_path, tensors):
        model = BindingModel(background_model_path, threads=1)
        found = evaluate(model, examples_from_tensors(tensors, "test", model), seed=0)
        assert found.notes == [BACKGROUND_NOTE]


class TestKinds:
    def test_a_binding_model_draws_nothing(self, model_path):
        with pytest.raises(
            TfbindError,
            match=r"one\.keras: found a model of kind 'binding' \(of tfbind train\),"
            r" expected kind 'background' \(of tfbind background fit\)",
        ):
            BackgroundModel(model_path)

    def test_a_background_model_scores_nothing(self, background):
        with pytest.raises(
            TfbindError,
            match=r"bg\.keras: found a model of kind 'background' \(of tfbind background fit\),"
            r" expected kind 'binding' \(of tfbind train\)",
        ):
            BindingModel(background)


def test_a_shuffle_that_is_its_parent_is_drawn_again():
    # ACAGA has one other shuffle, which comes up every second time
    codes = np.tile(encode_letters("ACAGA"), (100, 1))
    batch = Batch([f"r{i}" for i in range(100)], codes, np.full(100, 5), [None] * 100)
    made = negative_maker("dinucleotide", EncodeOptions(length=5)).make(batch, 0)
    assert len(made.codes) == 100
    assert (made.codes == encode_letters("AGACA")).all()
