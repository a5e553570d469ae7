import numpy as np
import pytest
from planted import SITE, Matrix, plant

from tfbind.binding.evaluation import genome_sites
from tfbind.binding.evaluation.genome_sites import PWM, evaluate_sites, read_truth
from tfbind.dna import matrices
from tfbind.dna.alphabet import encode_letters
from tfbind.dna.genome import Genome
from tfbind.errors import TfbindError
from tfbind.report.site_evaluation import write_site_evaluation
from tfbind.tables import read_json

STARTS = np.arange(200, 5_800, 400)


@pytest.fixture
def genome(tmp_path):
    """Contigs with 14 sites each, all of which are peaks but for the last two; one peak has no site."""
    rng = np.random.default_rng(5)
    records = {name: plant(rng, 6_000, STARTS, rng.choice(["+", "-"], 14)) for name in ("I", "II")}
    path = tmp_path / "g.fa"
    path.write_text("".join(f">{name}\n{letters}\n" for name, letters in records.items()))
    rows = [f"chr{name}\t{at + 6}\t{at + 7}\n" for name in records for at in STARTS[:-2]]
    (tmp_path / "p.bed").write_text("".join(rows) + "chrI\t5995\t5996\n")
    with Genome(path) as genome:
        yield genome


@pytest.fixture
def truth(genome, tmp_path):
    return read_truth(tmp_path / "p.bed", genome, ["I", "II"])


@pytest.fixture
def evaluation(truth, monkeypatch):
    monkeypatch.setattr(genome_sites, "refuse_trained_contigs", lambda *_, **__: [])
    counts = 100.0 * np.eye(4)[encode_letters(SITE)]
    return evaluate_sites(
        {"a": Matrix(SITE), "b": Matrix(SITE, SITE[:4])},
        truth,
        factors={"a": 0, "b": 1},
        matrix=matrices.Matrix("M1", "X", counts),
        stride=10,
        distance=45,
        tolerance=50,
    )


class TestReadTruth:
    def test_peaks_by_contig(self, truth):
        assert truth.n_peaks == 25
        assert [len(peaks) for peaks in truth.peaks] == [13, 12]
        assert truth.peaks[1].tolist() == (STARTS[:-2] + 6).tolist()
        assert [name for name, _ in truth.letters()] == ["I", "II"]

    def test_a_contig_that_is_not_there_or_has_no_peaks(self, genome, tmp_path):
        with pytest.raises(TfbindError, match="--contigs: 1 of 2 contigs"):
            read_truth(tmp_path / "p.bed", genome, ["I", "III"])
        (tmp_path / "one.bed").write_text("I\t5\t6\n")
        with pytest.raises(TfbindError, match="no peak on contig 'II'"):
            read_truth(tmp_path / "one.bed", genome, ["I", "II"])


class TestEvaluateSites:
    def test_metrics_of_a_model_that_knows_all_sites(self, evaluation):
        metrics = evaluation.metrics["a"]
        # 28 sites of one score or nearly, of which 24 are peaks
        assert metrics["average_precision"] == pytest.approx(24 / 25 * 24 / 28, abs=0.02)
        assert metrics["recall_at_q10"] == pytest.approx(24 / 25)
        assert metrics["precision_at_q10"] == pytest.approx(24 / metrics["called_at_q10"])
        assert 28 <= metrics["called_at_q10"] <= 31
        assert metrics["median_offset"] == 0
        assert metrics["expected"] == pytest.approx(28, abs=0.5)
        assert (metrics["observed"], metrics["n_peaks"]) == (25, 25)

    def test_a_model_that_knows_less_does_worse(self, evaluation):
        assert evaluation.metrics["b"]["average_precision"] < 0.3

    def test_the_matrix_is_judged_likewise(self, evaluation):
        metrics = evaluation.metrics[PWM]
        assert metrics["average_precision"] == pytest.approx(24 / 25 * 24 / 28, abs=0.02)
        assert metrics["median_offset"] == 0
        assert metrics["recall_at_q10"] is metrics["expected"] is None

    def test_sites_and_offsets(self, evaluation):
        sites = evaluation.sites[evaluation.sites["scanner"] == "a"]
        right = sites[sites["peak"].notna()]
        assert len(right) == 24
        assert (right["summit"] - right["peak"] == right["offset"]).all()
        offsets = evaluation.offsets[evaluation.offsets["scanner"] == "a"]
        assert offsets[["offset", "n"]].to_numpy().tolist() == [[0, 24]]

    def test_the_folder(self, evaluation, tmp_path):
        write_site_evaluation(tmp_path / "ev", evaluation)
        assert sorted(path.name for path in (tmp_path / "ev").iterdir()) == [
            *("metrics.json", "notes.json", "offsets.svg", "offsets.tsv", "pr.svg", "pr.tsv", "sites.tsv.gz")
        ]
        metrics = read_json(tmp_path / "ev" / "metrics.json", dict)
        assert list(metrics) == ["sites", "pwm", "models"]
        assert metrics["sites"] == {"model": "a"} | metrics["models"]["a"]
        assert metrics["pwm"]["matrix"] == "M1"
        svg = (tmp_path / "ev" / "pr.svg").read_text()
        assert f"{metrics['pwm']['average_precision']:.3f}" in svg


def test_contigs_that_a_model_was_trained_on_are_refused(truth, monkeypatch):
    def refuse(model, letters, peaks, *, allow):
        raise TfbindError(f"trained {allow}")

    monkeypatch.setattr(genome_sites, "refuse_trained_contigs", refuse)
    with pytest.raises(TfbindError, match="trained True"):
        evaluate_sites(
            {"a": Matrix(SITE)},
            truth,
            factors={"a": 0},
            matrix=None,
            stride=10,
            distance=45,
            tolerance=50,
            allow_overlap=True,
        )
