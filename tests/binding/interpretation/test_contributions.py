import h5py
import numpy as np
import pytest

from tfbind.binding.interpretation.contributions import write_contributions, write_npz


@pytest.fixture
def written(tmp_path, make_sequences):
    """A file of three batches, and what is in it."""
    rng = np.random.default_rng(1)
    sequences = make_sequences(rng.integers(0, 5, (7, 12)).astype(np.uint8))
    scores = rng.normal(size=(7, 12, 4)).astype(np.float32)
    path = tmp_path / "contributions.h5"
    with write_contributions(path, 12, {"factor": "CTCF", "method": "ism"}) as append:
        for rows in (slice(0, 3), slice(3, 4), slice(4, 7)):
            append(sequences.rows(rows), scores[rows], np.arange(7.0)[rows])
    return path, sequences, scores


def test_hold_what_was_appended(written):
    path, sequences, scores = written
    with h5py.File(path) as file:
        assert dict(file.attrs) | {"factor": "CTCF", "format": "tfbind-contributions", "length": 12} == dict(
            file.attrs
        )
        assert (file["hyp_scores"][:] == scores).all()
        assert (file["input_seqs"][:] == np.eye(5, 4)[sequences.codes]).all()
        assert file["id"].asstr()[:].tolist() == sequences.id.tolist()
        assert (file["logit"][:] == np.arange(7)).all()


def test_are_read_by_modisco(written, monkeypatch, tmp_path):
    cli = pytest.importorskip("modiscolite.cli")
    path, sequences, scores = written
    read = {}

    def instead(**arguments):
        read.update(arguments)
        return None, None

    monkeypatch.setattr("modiscolite.tfmodisco.TFMoDISco", instead)
    monkeypatch.setattr("modiscolite.precompile.start", lambda: None)
    monkeypatch.setattr("modiscolite.io.save_hdf5", lambda *_: None)
    one_hot = np.eye(5, 4)[sequences.codes]
    write_npz(tmp_path / "s.npz", one_hot.astype(np.int8), rows=2)
    write_npz(tmp_path / "c.npz", scores, rows=2)
    for source in (["-i", path], ["-s", tmp_path / "s.npz", "-a", tmp_path / "c.npz"]):
        read.clear()
        cli.motifs.main([*map(str, source), "-n", "10", "-w", "12"], standalone_mode=False)
        assert (read["one_hot"] == one_hot).all()
        assert (read["hypothetical_contribs"] == scores).all()


def test_a_failure_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt), write_contributions(tmp_path / "c.h5", 12, {}):
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
