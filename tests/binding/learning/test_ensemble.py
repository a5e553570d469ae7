import logging
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tfbind.binding.learning import ensemble as learning_ensemble
from tfbind.binding.learning.ensemble import join_models
from tfbind.binding.learning.parts import Part
from tfbind.binding.model.calibration import fit_platt
from tfbind.binding.model.card import read_card
from tfbind.binding.model.model import BindingModel
from tfbind.dna.splits import VALIDATION
from tfbind.errors import TfbindError
from tfbind.resume.checkpoint import checkpointed
from tfbind.tensors import open_tensors


@pytest.fixture(scope="module")
def other_member_path(two_factor_tensors, train_small, tmp_path_factory):
    """The second member of the ensemble, trained by itself."""
    path = tmp_path_factory.mktemp("member") / "seed1.keras"
    train_small(two_factor_tensors, path, seed=1)
    return path


def stand_ins():
    """Trainings of a member: one that is interrupted at the second, and one that notes each and if it was trained."""
    real, trained = learning_ensemble.train, []

    def interrupted(tensors, path, **arguments):
        if path.name == "seed1.keras":
            raise KeyboardInterrupt
        return real(tensors, path, **arguments)

    def counted(tensors, path, **arguments):
        history = real(tensors, path, **arguments)
        trained.append((path.name, history is not None))
        return history

    return interrupted, counted, trained


def raw_logits(path, part):
    """Logits of a model of one network before calibration."""
    model = BindingModel(path, threads=1)
    calibration = model.card.calibration
    logits = model.logits(part.codes, part.valid_length)
    return (logits - calibration["intercept"]) / calibration["slope"]


@pytest.fixture(scope="module")
def validation(two_factor_tensors):
    with open_tensors(two_factor_tensors) as tensors:
        return Part(tensors, VALIDATION)


class TestTrainEnsemble:
    def test_the_logits_are_the_mean_of_models_of_these_seeds(
        self, ensemble, two_factor_model_path, other_member_path, validation
    ):
        """Members are what training with their seeds makes, and one calibration is fitted to their mean."""
        raw = np.stack([raw_logits(path, validation) for path in (two_factor_model_path, other_member_path)])
        slope, intercept = (np.array(ensemble.card.calibration[name]) for name in ("slope", "intercept"))
        found = ensemble.member_logits(validation.codes, validation.valid_length)
        # the slope of a network that has learned little is small
        np.testing.assert_allclose((found - intercept) / slope, raw, atol=1e-6)
        np.testing.assert_array_equal(
            ensemble.logits(validation.codes, validation.valid_length), found.mean(axis=0)
        )
        refitted = fit_platt(raw.mean(axis=0).astype(np.float32), validation.y)
        np.testing.assert_allclose(refitted["slope"], slope, rtol=1e-3)
        assert np.abs(raw[0] - raw[1]).max() > 0.01

    def test_leaves_the_model_and_the_history_of_every_member(self, ensemble_path):
        assert sorted(path.name for path in ensemble_path.parent.iterdir()) == [
            "ensemble.history.tsv",
            "ensemble.keras",
        ]
        table = pd.read_csv(ensemble_path.with_suffix(".history.tsv"), sep="\t")
        assert list(table) == [
            "member",
            "seed",
            "epoch",
            "loss",
            "val_loss",
            "val_auroc",
            "learning_rate",
        ]
        assert table[["member", "seed", "epoch"]].to_numpy().tolist() == [
            [1, 0, 1],
            [1, 0, 2],
            [2, 1, 1],
            [2, 1, 2],
        ]

    def test_the_card_says_how_it_was_made(self, ensemble, two_factor_model_path, check_documented):
        card, first = ensemble.card, read_card(two_factor_model_path)
        assert len(card.members) == 2
        assert [each["options"]["seed"] for each in card.training["members"]] == [0, 1]
        assert card.training["ensemble"]["seeds"] == [0, 1]
        assert card.training["data"] == first.training["data"]
        assert card.training["n_train"] == first.training["n_train"]
        assert 0 < card.training["val_loss"] < 1
        np.testing.assert_array_equal(card.digests, first.digests)
        lacking = ("options", "epochs", "best_epoch", "start")
        check_documented("Binding: training", card.training, lacking=lacking)

    def test_resume_keeps_what_is_finished(
        self, two_factor_tensors, train_small, ensemble_path, tmp_path, monkeypatch, caplog
    ):
        interrupted, counted, trained = stand_ins()
        output = tmp_path / "e.keras"
        with monkeypatch.context() as patch:
            patch.setattr(learning_ensemble, "train", interrupted)
            with pytest.raises(KeyboardInterrupt):
                train_small(two_factor_tensors, output, seeds=(0, 1))
        assert (tmp_path / "e.members" / "seed0.keras").exists()
        with monkeypatch.context() as patch:
            patch.setattr(learning_ensemble, "train", counted)
            train_small(two_factor_tensors, output, seeds=(0, 1), resume=True)
        assert trained == [("seed0.keras", False), ("seed1.keras", True)]
        assert output.read_bytes() == ensemble_path.read_bytes()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["e.history.tsv", "e.keras"]
        # the command line has not drawn its curves yet, and that is all that is left to do
        again = train_small(two_factor_tensors, output, seeds=(0, 1), resume=True)
        assert again["member"].tolist() == [1, 1, 2, 2]
        assert output.read_bytes() == ensemble_path.read_bytes()
        (tmp_path / "e.learning.svg").touch()
        with caplog.at_level(logging.INFO):
            assert train_small(two_factor_tensors, output, seeds=(0, 1), resume=True) is None
        assert "e.keras: is finished, so there is nothing to resume" in caplog.text
        with pytest.raises(TfbindError, match=r"e\.keras: is finished, and was trained with seeds"):
            train_small(two_factor_tensors, output, seeds=(0, 2), resume=True)

    def test_checkpoints_of_another_training_change_nothing(
        self, two_factor_tensors, train_small, ensemble_path, tmp_path, monkeypatch
    ):
        """One that a member has set aside, and one under the name of the ensemble."""
        interrupted, counted, trained = stand_ins()

        def interrupted_in_its_first_epoch(tensors, path, **arguments):
            with checkpointed(path, {"of": "another training"}, resume=False) as checkpoint:
                checkpoint.write({"history": []}, {})
                raise KeyboardInterrupt

        output = tmp_path / "e.keras"
        for train, resume in ((interrupted_in_its_first_epoch, False), (interrupted, True)):
            with monkeypatch.context() as patch:
                patch.setattr(learning_ensemble, "train", train)
                with pytest.raises(KeyboardInterrupt):
                    train_small(two_factor_tensors, output, seeds=(0, 1), resume=resume)
        (stale,) = (tmp_path / "e.members").glob("seed0.checkpoint.*")
        monkeypatch.setattr(learning_ensemble, "train", counted)
        train_small(two_factor_tensors, output, seeds=(0, 1), resume=True)
        assert trained == [("seed0.keras", False), ("seed1.keras", True)]
        assert output.read_bytes() == ensemble_path.read_bytes()
        # nor is the finished ensemble made again
        stale.rename(tmp_path / "e.checkpoint")
        (tmp_path / "e.learning.svg").touch()
        assert train_small(two_factor_tensors, output, seeds=(0, 1), resume=True) is None

    def test_one_that_is_to_replace_another_is_resumed(
        self, two_factor_tensors, train_small, ensemble_path, tmp_path, monkeypatch
    ):
        output = tmp_path / "e.keras"
        for suffix in (".keras", ".history.tsv"):
            shutil.copy(ensemble_path.with_suffix(suffix), output.with_suffix(suffix))
        (tmp_path / "e.members").mkdir()
        (tmp_path / "e.members" / "seed2.checkpoint").touch()
        reached = []
        monkeypatch.setattr(
            learning_ensemble, "train", lambda _, path, **__: reached.append(path.name) or 1 / 0
        )
        with pytest.raises(ZeroDivisionError):
            train_small(two_factor_tensors, output, seeds=(2, 3), resume=True)
        assert reached == ["seed2.keras"]


class TestJoinModels:
    def test_is_what_training_them_together_gives(
        self, two_factor_tensors, two_factor_model_path, other_member_path, ensemble, tmp_path
    ):
        path = tmp_path / "joined.keras"
        join_models(two_factor_tensors, [two_factor_model_path, other_member_path], path, threads=1)
        card = read_card(path)
        assert card.calibration == ensemble.card.calibration
        assert card.threshold == ensemble.card.threshold
        assert "ensemble" not in card.training

    def test_an_ensemble_gives_its_members(
        self, two_factor_tensors, two_factor_model_path, ensemble_path, ensemble, validation, tmp_path
    ):
        path = tmp_path / "three.keras"
        join_models(two_factor_tensors, [ensemble_path, two_factor_model_path], path, threads=1)
        three = BindingModel(path, threads=1)
        found = three.member_logits(validation.codes, validation.valid_length)
        np.testing.assert_array_equal(found[0], found[2])
        assert (found[0] != found[1]).all()

    def test_one_model_is_no_ensemble(self, two_factor_tensors, two_factor_model_path, tmp_path):
        with pytest.raises(TfbindError, match=r"m\.keras: found 1 networks, expected 2 to 100"):
            join_models(two_factor_tensors, [two_factor_model_path], tmp_path / "m.keras", threads=1)

    def test_models_of_other_factors_are_refused(
        self, two_factor_tensors, two_factor_model_path, model_path, tmp_path
    ):
        with pytest.raises(
            TfbindError, match=r"one\.keras: found factors CREB, expected CREB, SP1 as in .*two"
        ):
            join_models(
                two_factor_tensors, [two_factor_model_path, model_path], tmp_path / "m.keras", threads=1
            )

    def test_a_model_that_has_seen_the_validation_set_is_refused(
        self, two_factor_tensors, two_factor_model_path, tmp_path, monkeypatch
    ):
        """A model of other examples, the validation set's among them."""
        real = read_card

        def of_other_data(path):
            card = real(path)
            other = path.name == "other.keras"
            return replace(card, training=card.training | {"data": "0" * 64}) if other else card

        other = tmp_path / "other.keras"
        shutil.copy(two_factor_model_path, other)
        monkeypatch.setattr(learning_ensemble, "read_card", of_other_data)
        with pytest.raises(TfbindError, match=r"other\.keras: \d+ of \d+ validation sequences of .*such as"):
            join_models(two_factor_tensors, [two_factor_model_path, other], tmp_path / "m.keras", threads=1)
        assert not (tmp_path / "m.keras").exists()
