import shutil

import pandas as pd
import pytest

from tfbind.binding.learning.selection import rank_candidates, select
from tfbind.binding.model.card import read_card
from tfbind.errors import TfbindError


@pytest.fixture(scope="module")
def candidates(shuffle_tensors, train_small, tmp_path_factory):
    """Two models that differ in their learning rate; the first one hardly learns."""
    folder = tmp_path_factory.mktemp("candidates")
    for name, rate in (("slow", 1e-6), ("fast", 0.02)):
        train_small(shuffle_tensors, folder / f"{name}.keras", epochs=3, learning_rate=rate)
    (folder / "fast.learning.svg").write_text("<svg>fast</svg>")
    return [folder / "slow.keras", folder / "fast.keras"]


class TestRankCandidates:
    def test_the_lowest_validation_loss_is_chosen(self, candidates):
        found = rank_candidates(candidates)
        losses = [
            pd.read_csv(path.with_suffix(".history.tsv"), sep="\t")["val_loss"].min() for path in candidates
        ]
        assert losses[1] < losses[0]
        assert found["candidate"].tolist() == ["slow", "fast"]
        assert found["chosen"].tolist() == ["no", "yes"]
        assert found["val_loss"].tolist() == losses

    def test_tells_what_differs(self, candidates):
        found = rank_candidates(candidates)
        columns = [
            "candidate",
            "chosen",
            "architecture",
            "learning_rate",
            "best_epoch",
            "val_loss",
            "val_auroc",
        ]
        assert list(found) == columns
        assert found["learning_rate"].tolist() == [1e-6, 0.02]

    def test_of_equal_ones_the_first(self, candidates, tmp_path):
        shutil.copy(candidates[1], tmp_path / "again.keras")
        found = rank_candidates([candidates[0], tmp_path / "again.keras", candidates[1]])
        assert found["chosen"].tolist() == ["no", "yes", "no"]

    def test_of_one_name_go_by_their_paths(self, candidates, tmp_path):
        shutil.copy(candidates[1], tmp_path / "slow.keras")
        paths = [candidates[0], tmp_path / "slow.keras"]
        assert rank_candidates(paths)["candidate"].tolist() == [str(path) for path in paths]

    def test_models_of_other_examples_are_refused(self, candidates, fold_model_path):
        with pytest.raises(
            TfbindError, match=r"fold2\.keras: was not trained and validated on the same examples as"
        ):
            rank_candidates([*candidates, fold_model_path])

    def test_no_model(self, candidates, tmp_path):
        with pytest.raises(TfbindError, match=r"none\.keras: no such file"):
            rank_candidates([*candidates, tmp_path / "none.keras"])


class TestSelect:
    def test_the_chosen_one_stands_under_the_new_name(self, candidates, tmp_path):
        output = tmp_path / "new" / "m.v1.keras"
        table = select(candidates, output)
        assert sorted(path.name for path in output.parent.iterdir()) == [
            *("m.v1.grid.tsv", "m.v1.history.tsv", "m.v1.keras", "m.v1.learning.svg"),
        ]
        for suffix in (".keras", ".history.tsv", ".learning.svg"):
            assert output.with_suffix(suffix).read_bytes() == candidates[1].with_suffix(suffix).read_bytes()
        assert read_card(output).training["options"]["learning_rate"] == 0.02
        assert pd.read_csv(output.with_suffix(".grid.tsv"), sep="\t").equals(table)

    def test_nothing_stays_of_an_earlier_choice(self, candidates, tmp_path):
        output = tmp_path / "m.keras"
        select(candidates, output)
        select(candidates[:1], output)
        assert not output.with_suffix(".learning.svg").exists()
        assert output.read_bytes() == candidates[0].read_bytes()

    @pytest.mark.parametrize("fails_at", [1, 2, 3])
    def test_a_failure_leaves_what_stood_there(self, candidates, tmp_path, monkeypatch, fails_at):
        select(candidates[:1], tmp_path / "m.keras")
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        copies = []

        def fail(source, target, copy=shutil.copyfile):
            copies.append(target)
            if len(copies) == fails_at:
                raise OSError("disk full")
            copy(source, target)

        monkeypatch.setattr("shutil.copyfile", fail)
        with pytest.raises(OSError, match="disk full"):
            select(candidates, tmp_path / "m.keras")
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    @pytest.mark.parametrize("name", ["m.keras", "m.grid.tsv", "m.learning.svg"])
    def test_a_folder_in_a_files_place_is_refused(self, candidates, tmp_path, name):
        (tmp_path / name).mkdir()
        with pytest.raises(TfbindError, match=rf"{name}: is a folder, expected a name for the output file"):
            select(candidates, tmp_path / "m.keras")
        assert [path.name for path in tmp_path.iterdir()] == [name]
