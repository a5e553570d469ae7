import shutil
from dataclasses import replace

import numpy as np
import pytest

from tfbind.binding import options as binding_options
from tfbind.binding.encoding.from_peaks import encode_peaks
from tfbind.binding.evaluation import site_calibration
from tfbind.binding.evaluation.genome_sites import GenomeTruth, sites_on
from tfbind.binding.evaluation.site_calibration import (
    calibrate_sites,
    calibrate_trained,
    contigs_of_tensors,
    contigs_of_test_part,
    label_sites,
)
from tfbind.binding.learning.ensemble import members_for
from tfbind.binding.model.card import read_card
from tfbind.binding.model.model import BindingModel
from tfbind.binding.options import EncodeOptions
from tfbind.binding.scanning.sites import Sites, log_odds, site_probability
from tfbind.cli import main
from tfbind.errors import TfbindError

CONTIGS = ("I", "II", "III", "IV")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A genome of four contigs with 25 sites each, and its peaks."""
    folder = tmp_path_factory.mktemp("genome")
    rng = np.random.default_rng(4)
    rows = []
    with open(folder / "g.fa", "w") as genome:
        for name in CONTIGS:
            letters = rng.choice(list("ACGT"), 10_000)
            for at in range(100, 9_900, 400):
                letters[at : at + 8] = list("TGACGTCA")
                rows.append(f"chr{name}\t{at + 4}\t{at + 5}\n")
            genome.write(f">{name}\n{''.join(letters)}\n")
        genome.write(f">Mito\n{'ACGGT' * 500}\n")
    (folder / "p.bed").write_text("".join(rows))
    return folder


@pytest.fixture(scope="module")
def tensors(folder):
    options = EncodeOptions(length=60, test_contigs=("IV",), validation_contigs=("III",))
    encode_peaks(folder / "t.h5", folder / "p.bed", folder / "g.fa", "CREB", options)
    return folder / "t.h5"


@pytest.fixture(scope="module")
def model(folder, tensors, train_small):
    train_small(tensors, folder / "m.keras", epochs=4)
    return BindingModel(folder / "m.keras", threads=1)


class TestContigsOfTensors:
    def test_whole_contigs(self, tensors, model):
        assert contigs_of_tensors(tensors, model) == (["III"], ["I", "II", "III"], ["IV"])

    def test_of_another_file(self, shuffle_tensors, model):
        with pytest.raises(
            TfbindError, match=r"shuffle.h5: is not the tensors file that .*m.keras was trained on"
        ):
            contigs_of_tensors(shuffle_tensors, model)

    def test_of_sequences_without_contigs(self, shuffle_tensors, model_path):
        with pytest.raises(
            TfbindError, match="no contig was held out for validation, expected whole contigs held out"
        ):
            contigs_of_tensors(shuffle_tensors, BindingModel(model_path, threads=1))

    def test_of_contigs_that_are_in_several_parts(self, folder, train_small):
        encode_peaks(
            folder / "r.h5",
            folder / "p.bed",
            folder / "g.fa",
            "CREB",
            EncodeOptions(length=60, split=(0.4, 0.3, 0.3), split_by="records"),
        )
        train_small(folder / "r.h5", folder / "r.keras", epochs=1)
        with pytest.raises(TfbindError, match="no contig was held out for validation"):
            contigs_of_tensors(folder / "r.h5", BindingModel(folder / "r.keras", threads=1))


def test_a_peak_that_was_not_found_is_the_nearest_free_site():
    summit, score = np.array([100, 300, 410, 100]), np.array([2.0, 1.0, 0.5, 3.0])
    sites = Sites(
        np.array([0, 0, 0, 1]),
        summit,
        score,
        score,
        score,
        np.ones(4, bool),
        np.full(4, "."),
        "",
        0,
    )
    truth = GenomeTruth(None, [np.array([110, 210]), np.array([900])])
    # of the first contig one within the tolerance and one beyond it, of the second one beyond it
    assert label_sites(sites, truth, 50).tolist() == [True, True, False, True]
    assert label_sites(sites, truth._replace(peaks=[np.array([110]), np.array([], int)]), 50).tolist() == [
        *(True, False, False, False)
    ]


class TestCalibrateSites:
    def given(self, folder, tensors, output):
        return {
            "tensors": tensors,
            "genome_path": folder / "g.fa",
            "peaks": folder / "p.bed",
            "output": output,
            "factor": 0,
            "tolerance": 50,
        }

    def test_probabilities_add_up_to_the_density_of_peaks(self, folder, tensors, model, tmp_path):
        found = calibrate_sites(model, **self.given(folder, tensors, tmp_path / "c.keras"))
        card = read_card(tmp_path / "c.keras")
        assert card.sites == found
        # 75 peaks on three contigs of 10,000 bases
        assert found.expected_per_mb[0] == pytest.approx(2_500)
        assert (found.contigs, found.stride, found.distance) == (("III",), 6, 45)
        assert card.digests.tolist() == model.card.digests.tolist()
        assert site_probability(model, 0) is None
        calibrated = BindingModel(tmp_path / "c.keras", threads=1)
        probability = site_probability(calibrated, 0)
        assert probability(log_odds(np.array([0.5])))[0] == pytest.approx(
            1 / (1 + np.exp(-found.intercept[0]))
        )
        # what was given on the command line counts more
        assert site_probability(calibrated, 0, 0.01) is None

    def test_the_expected_number_is_that_of_the_validation_contig(
        self, folder, tensors, model, tmp_path, monkeypatch
    ):
        scanned = []

        def remember(*arguments, **options):
            scanned.append(sites_on(*arguments, **options))
            return scanned[-1]

        monkeypatch.setattr(site_calibration, "sites_on", remember)
        found = calibrate_sites(model, **self.given(folder, tensors, tmp_path / "c.keras"))
        assert found.probability(scanned[0].score, 0).sum() == pytest.approx(25)

    def test_few_peaks_are_refused(self, folder, tensors, model, tmp_path):
        (tmp_path / "few.bed").write_text("III\t4\t5\nI\t4\t5\n")
        given = self.given(folder, tensors, tmp_path / "c.keras") | {"peaks": tmp_path / "few.bed"}
        with pytest.raises(
            TfbindError, match=r"has 1 peaks on the validation contigs \(III\), expected at least 20"
        ):
            calibrate_sites(model, **given)
        assert not (tmp_path / "c.keras").exists()


class TestCalibrateTrained:
    def test_as_by_the_genome_itself(self, folder, tensors, model, caplog):
        by_genome = calibrate_sites(
            model,
            tensors,
            folder / "g.fa",
            folder / "p.bed",
            folder / "by_genome.keras",
            factor=0,
            tolerance=50,
        )
        shutil.copy(model.path, folder / "trained.keras")
        found = calibrate_trained(folder / "trained.keras", tensors, threads=1)
        assert found.contigs == ("III:0-10000",)
        assert replace(found, contigs=by_genome.contigs) == by_genome
        assert read_card(folder / "trained.keras").sites == found
        # a second time changes nothing
        assert calibrate_trained(folder / "trained.keras", tensors, threads=1) is None

    @pytest.mark.parametrize("seeds", ["1", "2"])
    def test_training_does_it(self, folder, tensors, seeds):
        output = folder / f"trained{seeds}.keras"
        small = ("--architecture", "gkm-linear", "--seeds", seeds, "--threads", "1")
        assert main(["train", str(tensors), *small, "-o", str(output)]) == 0
        assert read_card(output).sites.contigs == ("III:0-10000",)

    def test_of_few_peaks_three_networks_are_trained(self, folder, tensors):
        output = folder / "few.keras"
        command = ["train", str(tensors), "--epochs", "1", "--threads", "1", "-o", str(output)]
        assert main([*command, "--architecture", "deepbind", "--seed", "5"]) == 0
        card = read_card(output)
        assert [each["options"]["seed"] for each in card.training["members"]] == [5, 6, 7]
        assert card.sites is not None

    def test_how_many_networks_are_trained(self, tensors, shuffle_tensors, monkeypatch, caplog):
        caplog.set_level("INFO", "tfbind")
        assert members_for(tensors, None) == 3
        assert "t.h5: has 50 training peaks, fewer than 1,000, so 3 networks are trained" in caplog.text
        # nothing but the dealing of folds differs from one seed to the next
        assert members_for(tensors, "gkm-linear") == 1
        # no genome is to be scanned
        assert members_for(shuffle_tensors, None) == 1
        monkeypatch.setattr(binding_options, "FEW_PEAKS", 50)
        assert members_for(tensors, None) == 1

    def test_what_was_killed_before_it_is_calibrated_on_resuming(self, folder, tensors, monkeypatch):
        output = folder / "killed.keras"
        command = ["train", str(tensors), "--architecture", "gkm-linear", "--threads", "1", "-o", str(output)]

        def die(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(site_calibration, "calibrate_trained", die)
            assert main(command) == 130
        history = output.with_suffix(".history.tsv").read_bytes()
        assert read_card(output).sites is None
        assert main([*command, "--resume"]) == 0
        assert read_card(output).sites is not None
        assert output.with_suffix(".history.tsv").read_bytes() == history

    def test_a_fold_is_not_calibrated(self, folder):
        options = EncodeOptions(
            length=60, test_contigs=("IV",), validation_contigs=("III",), folds=2, negative_ratio=2
        )
        encode_peaks(folder / "f.h5", folder / "p.bed", folder / "g.fa", "CREB", options)
        small = ("--architecture", "gkm-linear", "--fold", "1", "--threads", "1")
        assert main(["train", str(folder / "f.h5"), *small, "-o", str(folder / "f.keras")]) == 0
        assert read_card(folder / "f.keras").sites is None

    def test_without_stretches(self, shuffle_tensors, model_path):
        before = model_path.read_bytes()
        assert calibrate_trained(model_path, shuffle_tensors, threads=1) is None
        assert model_path.read_bytes() == before

    def test_too_few_peaks(self, folder, tensors, model, monkeypatch, caplog):
        monkeypatch.setattr(site_calibration, "FEWEST_PEAKS", 26)
        assert calibrate_trained(model.path, tensors, threads=1) is None
        assert "t.h5: has 25 peaks on the validation contigs, and at least 26 are needed" in caplog.text

    def test_more_peaks_than_sites(self, folder, tensors, model, monkeypatch, caplog):
        shutil.copy(model.path, folder / "dense.keras")
        monkeypatch.setattr(site_calibration, "default_distance", lambda model: 9_000)
        assert calibrate_trained(folder / "dense.keras", tensors, threads=1) is None
        assert "expected more maxima than sites" in caplog.text
        assert read_card(folder / "dense.keras").sites is None
        with pytest.raises(TfbindError, match="expected more maxima than sites"):
            calibrate_sites(
                model, tensors, folder / "g.fa", folder / "p.bed", folder / "x.keras", factor=0, tolerance=50
            )

    def test_contigs_of_the_test_part(self, tensors, shuffle_tensors):
        assert contigs_of_test_part(tensors) == ["IV"]
        assert contigs_of_test_part(shuffle_tensors) == []
