import numpy as np
import pytest
from planted import SITE, Matrix, plant

from tfbind.binding.scanning.genome_scan import ContigLetters, scan
from tfbind.binding.scanning.prediction import score
from tfbind.binding.scanning.windows import windows_of_fasta
from tfbind.dna.genome import Genome


def test_scores_are_those_of_a_table(model, tmp_path):
    rng = np.random.default_rng(0)
    letters = plant(rng, 300, [], [])
    records = {
        "I": letters[:100] + "N" * 80 + letters[180:],
        "short": letters[:40],
        "tiny": "ACGT",
        "wrong": letters[:90] + "-" + letters[91:],
    }
    path = tmp_path / "g.fa"
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
    # with a distance of 1 each window is a local maximum
    maxima, n_windows = scan(model, records.items(), stride=7, distance=1)
    record, start, middle, _, found = maxima[0].joined()
    expected = {}
    for windows, probability in score(model, (one.cut() for one in windows_of_fasta(path, 60, 7)), 512):
        for name, at, p in zip(windows.id, windows.start.tolist(), probability[:, 0].tolist(), strict=True):
            expected[list(records).index(name), at] = p
    assert n_windows == len(expected)
    known = {place: p for place, p in expected.items() if p == p}
    assert list(zip(record.tolist(), start.tolist(), strict=True)) == sorted(known)
    assert 1 / (1 + np.exp(-found)) == pytest.approx([known[place] for place in sorted(known)], abs=1e-5)
    assert middle[record == 1].tolist() == [20]
    assert 2 not in record


def test_contigs_are_read_as_often_as_needed(tmp_path):
    (tmp_path / "g.fa").write_text(">I\nACGT\n>II\nGGGG\n>III\nTTTT\n")
    with Genome(tmp_path / "g.fa") as genome:
        letters = ContigLetters(genome, ["III", "I"])
        assert list(letters()) == list(letters()) == [("III", "TTTT"), ("I", "ACGT")]


def test_each_factor_has_its_own_maxima():
    letters = plant(np.random.default_rng(1), 500, [100, 400], ["+", "-"])
    maxima, _ = scan(Matrix(SITE, "A" * 13), [("a", letters)], stride=10, distance=45)
    assert len(maxima) == 2
    assert maxima[0].joined()[3].max() > maxima[1].joined()[3].max()
