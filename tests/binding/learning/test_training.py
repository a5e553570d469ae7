import json
import logging
import shutil

import h5py
import numpy as np
import pandas as pd
import pytest

from tfbind.binding.model.card import read_card
from tfbind.dna.splits import TRAIN, VALIDATION
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors
from tfbind.training.model_file import load_network


@pytest.fixture(scope="module")
def trained(shuffle_tensors, train_small, tmp_path_factory):
    """The history that is returned, and the folder, not there before, of the model ``m.keras``."""
    folder = tmp_path_factory.mktemp("trained") / "new"
    return train_small(shuffle_tensors, folder / "m.keras", epochs=3), folder


class TestTrain:
    def test_leaves_the_model_and_its_history(self, trained):
        history, folder = trained
        assert sorted(path.name for path in folder.iterdir()) == ["m.history.tsv", "m.keras"]
        table = pd.read_csv(folder / "m.history.tsv", sep="\t")
        assert list(table) == ["epoch", "loss", "val_loss", "val_auroc", "learning_rate"]
        assert table["epoch"].tolist() == [1, 2, 3]
        assert np.array_equal(table, history)

    def test_the_card_says_how_the_model_was_made(self, trained, shuffle_tensors):
        history, folder = trained
        card = read_card(folder / "m.keras")
        with open_tensors(shuffle_tensors) as tensors:
            n_train, n_validation = ((tensors.split == part).sum() for part in (TRAIN, VALIDATION))
            assert card.encoding == tensors.encoding
        assert (card.tasks, card.negative_method) == (("CREB",), "dinucleotide")
        assert card.training["best_epoch"] == history["val_loss"].idxmin() + 1
        assert (card.training["n_train"], card.training["n_validation"]) == (n_train, n_validation)
        assert card.training["tensors"] == "shuffle.h5"
        assert json.loads(card.training["source"])[0]["name"] == "positives.fa"
        assert (np.diff(card.digests.astype(object)) > 0).all()
        assert len(card.digests) == n_train + n_validation
        assert card.calibration["slope"][0] > 0
        assert 0 < card.threshold[0] < 1
        assert load_network(folder / "m.keras", card.network).count_params() > 0

    def test_the_card_is_as_documented(self, trained, check_documented):
        found = read_card(trained[1] / "m.keras").training
        check_documented("Binding: training", found, lacking=("start", "members", "ensemble"))

    def test_same_seed_same_bytes(self, trained, shuffle_tensors, train_small, tmp_path):
        train_small(shuffle_tensors, tmp_path / "m.keras", epochs=3)
        for name in ("m.keras", "m.history.tsv"):
            assert (tmp_path / name).read_bytes() == (trained[1] / name).read_bytes()

    def test_another_seed_another_model(self, trained, shuffle_tensors, train_small, tmp_path):
        history = train_small(shuffle_tensors, tmp_path / "m.keras", epochs=1, seed=1)
        assert history["loss"][0] != trained[0]["loss"][0]

    def test_the_card_tells_what_the_validation_part_said(self, trained):
        history, folder = trained
        training = read_card(folder / "m.keras").training
        best = history.loc[history["val_loss"].idxmin()]
        assert (training["val_loss"], training["val_auroc"]) == (best["val_loss"], best["val_auroc"])
        assert (training["fold"], training["folds"]) == (None, None)

    def test_several_factors(self, two_factor_model_path):
        card = read_card(two_factor_model_path)
        assert card.tasks == ("CREB", "SP1")
        assert (
            len(card.calibration["slope"]) == len(card.calibration["intercept"]) == len(card.threshold) == 2
        )
        assert card.negative_method == "given"

    def test_kmers(self, kmer_model_path):
        card = read_card(kmer_model_path)
        assert (card.network.length, card.network.vocabulary, card.network.k, card.network.stride) == (
            20,
            65,
            3,
            3,
        )

    def test_says_what_it_trains_and_on_what(self, given_tensors, train_small, tmp_path, caplog):
        with caplog.at_level(logging.INFO):
            train_small(given_tensors, tmp_path / "m.keras", epochs=1)
        assert "training conv-bigru (" in caplog.text
        assert "one-hot) on 128 examples, on the " in caplog.text
        assert "epoch 1: loss " in caplog.text

    def test_a_checkpoint_of_other_labels_is_not_used(
        self, given_tensors, train_small, tmp_path, monkeypatch, caplog
    ):
        def interrupt(*_):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("tfbind.binding.learning.training.fit_platt", interrupt)
            with pytest.raises(KeyboardInterrupt):
                train_small(given_tensors, tmp_path / "m.keras", epochs=1)
        assert [path.name for path in tmp_path.iterdir()] == ["m.checkpoint"]
        shutil.copy(given_tensors, tmp_path / "t.h5")
        with h5py.File(tmp_path / "t.h5", "r+") as file:
            file["y"][:] = 1 - file["y"][:]
        with caplog.at_level(logging.WARNING):
            train_small(tmp_path / "t.h5", tmp_path / "m.keras", epochs=1, resume=True)
        assert "m.checkpoint: was started with data '" in caplog.text
        assert ": starting over, and keeping the old one as" in caplog.text
        assert not (tmp_path / "m.checkpoint").exists()


@pytest.mark.parametrize(
    ("architecture", "network", "message"),
    [
        ("gkm-linear", {"layers": 2}, "found layers 2, for which architecture gkm-linear has no use"),
        (
            "deepbind",
            {"units": 4, "cell": "gru"},
            "found cell gru, for which architecture deepbind has no use",
        ),
    ],
)
def test_what_the_architecture_would_ignore_is_refused(
    architecture, network, message, given_tensors, train_small, tmp_path
):
    with pytest.raises(TfbindError, match=message):
        train_small(given_tensors, tmp_path / "m.keras", architecture=architecture, network=network)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_tensors_file_is_refused(model_path, train_small, tmp_path):
    with pytest.raises(TfbindError, match=r"one\.keras: is not a readable HDF5 file"):
        train_small(model_path, tmp_path / "m.keras")
    assert list(tmp_path.iterdir()) == []


def test_an_architectures_own_learning_rate_stands_in_the_card(given_tensors, train_small, tmp_path):
    train_small(given_tensors, tmp_path / "m.keras", architecture="deepbind", learning_rate=None, epochs=1)
    assert read_card(tmp_path / "m.keras").training["options"]["learning_rate"] == 0.003


def test_one_hot_tensors_can_be_read_as_k_mers(given_tensors, train_small, tmp_path, data):
    """KEGRU reads k-mers of its own from one-hot tensors, and is judged on one-hot tensors and on FASTA."""
    from tfbind.binding.evaluation.measure import examples_from_fasta, examples_from_tensors, refuse_seen
    from tfbind.binding.model.model import BindingModel

    path = tmp_path / "kegru.keras"
    train_small(given_tensors, path, architecture="kegru", epochs=1)
    model = BindingModel(path)
    assert (model.card.encoding.k, model.card.encoding.stride, model.card.encoding.length) == (5, 2, 60)
    refuse_seen(examples_from_tensors(given_tensors, "test", model), model, "the test part")
    for examples in (
        examples_from_tensors(given_tensors, "train", model),
        examples_from_fasta(data / "positives.fa", data / "negatives.fa", model),
    ):
        with pytest.raises(TfbindError, match="were in the training or validation set"):
            refuse_seen(examples, model, "x")
