import json
import logging

import numpy as np
import pandas as pd
import pytest

from tfbind.background.data import BackgroundData
from tfbind.background.model import read_background_card
from tfbind.errors import TfbindError


@pytest.fixture
def interrupt_in_third_epoch(monkeypatch):
    batches = BackgroundData.batches

    def breaking_off(self, epoch, size):
        for number, batch in enumerate(batches(self, epoch, size)):
            if (epoch, number) == (2, 10):
                raise KeyboardInterrupt
            yield batch

    monkeypatch.setattr(BackgroundData, "batches", breaking_off)


def test_the_card_is_as_documented(fitted, check_documented):
    check_documented("Background: training", read_background_card(fitted[0]).training)


class TestBits:
    def test_come_close_to_the_chains_entropy(self, fitted, pairs):
        entropy = -(pairs * np.log2(pairs / pairs.sum(axis=1, keepdims=True))).sum()
        bits = fitted[1]["bits_per_base"]
        assert set(bits) == {"order-0", "order-3", "order-5", "network"}
        # of some 12,000 bases: one standard deviation is about .015
        assert bits["network"] == pytest.approx(entropy, abs=0.05)
        assert bits["order-0"] > 1.95
        assert bits["network"] < bits["order-0"] - 0.4
        # all are judged by the same bases, so the best of them differ by far less than that
        assert bits["network"] == pytest.approx(bits["order-3"], abs=0.015)
        # a thousand contexts are too many for this genome
        assert bits["order-5"] > bits["order-3"]

    def test_are_of_held_out_blocks(self, fitted):
        _, summary = fitted
        bases = summary["bases"]
        assert sum(bases.values()) == 120_000 - 2 * 51
        assert 3000 < bases["validation"] < 9000
        assert 3000 < bases["test"] < 9000
        # each stretch is read on both strands, without its first five bases
        assert bases["test"] * 2 - 200 < summary["judged_bases"] < bases["test"] * 2


def test_leaves_model_history_and_summary_only(fitted):
    path, summary = fitted
    names = {"bg.keras", "bg.history.tsv", "bg.summary.json"}
    assert {entry.name for entry in path.parent.iterdir()} == names
    assert json.loads(path.with_suffix(".summary.json").read_text()) == summary
    history = pd.read_csv(path.with_suffix(".history.tsv"), sep="\t")
    assert list(history) == ["epoch", "loss", "val_loss", "learning_rate"]
    assert summary["validation_bits_per_base"] == history["val_loss"].min()
    assert summary["best_epoch"] == history["epoch"][history["val_loss"].idxmin()]


def test_the_same_seed_gives_the_same_file_and_another_one_does_not(genome, fit_small, tmp_path):
    for name, seed in (("one", 5), ("two", 5), ("three", 6)):
        fit_small(genome, tmp_path / name / "bg.keras", epochs=1, seed=seed, batch_size=128)
    one, two, three = ((tmp_path / name / "bg.keras").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


def test_resuming_ends_as_if_never_interrupted(
    genome, fit_small, fitted, tmp_path, interrupt_in_third_epoch, monkeypatch, caplog
):
    path = tmp_path / "bg.keras"
    with pytest.raises(KeyboardInterrupt):
        fit_small(genome, path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["bg.checkpoint"]
    monkeypatch.undo()
    with caplog.at_level(logging.INFO):
        assert fit_small(genome, path, resume=True) == fitted[1]
    assert "resuming after epoch 2" in caplog.text
    assert path.read_bytes() == fitted[0].read_bytes()
    assert not path.with_suffix(".checkpoint").exists()


def test_another_cell_and_two_layers(genome, fit_small, tmp_path):
    bits = fit_small(genome, tmp_path / "bg.keras", cell="jordan", layers=2, epochs=1)["bits_per_base"]
    assert bits["network"] < bits["order-0"] - 0.3


def test_a_genome_too_small_is_refused(fit_small, tmp_path):
    (tmp_path / "g.fa").write_text(f">a\n{'ACGTN' * 1000}\n")
    with pytest.raises(TfbindError, match=r"g\.fa: found 4,000 unambiguous bases, expected 10,000"):
        fit_small(tmp_path / "g.fa", tmp_path / "bg.keras")
