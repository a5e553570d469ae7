import numpy as np
import pytest

from tfbind.binding.interpretation.sequences import from_fasta, from_peaks
from tfbind.dna.alphabet import decode_letters
from tfbind.errors import TfbindError


@pytest.fixture
def model(kept_model):
    return kept_model("binding")


def letters(rng, n):
    return "".join(rng.choice(list("ACGT"), n))


def test_of_fasta_are_cut_counted_and_sampled(model, tmp_path):
    length, rng = model.card.encoding.length, np.random.default_rng(0)
    records = {f"r{i}": letters(rng, length) for i in range(30)}
    records |= {
        "long": letters(rng, 3 * length),
        "short": "ACGTACG",
        "n": "N" * length,
        "padded": letters(rng, 15),
    }
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records.items()))
    chosen = from_fasta(path, model)
    assert chosen.n_found == 36
    assert chosen.left_out == {"too_short": 1, "ambiguous": 1}
    assert chosen.bound.id.tolist() == [*(f"r{i}" for i in range(30)), *["long"] * 3, "padded"]
    assert chosen.bound.start[-4:].tolist() == [0, length, 2 * length, 0]
    assert chosen.bound.valid_length[-1] == 15
    assert decode_letters(chosen.bound.codes[31]) == records["long"][length : 2 * length]

    some = from_fasta(path, model, 10)
    assert some.left_out == chosen.left_out | {"not_sampled": 24}
    assert some.bound.n == 10
    places = [chosen.bound.codes.tolist().index(codes) for codes in some.bound.codes.tolist()]
    assert places == sorted(places)
    assert (some.bound.codes == from_fasta(path, model, 10).bound.codes).all()
    assert (some.bound.codes != from_fasta(path, model, 10, seed=1).bound.codes).any()


def test_each_window_is_as_likely_to_be_sampled(model, tmp_path):
    length, rng = model.card.encoding.length, np.random.default_rng(0)
    path = tmp_path / "in.fa"
    path.write_text("".join(f">{i}\n{letters(rng, length)}\n" for i in range(8)))
    seen = np.zeros(8)
    for seed in range(400):
        seen[from_fasta(path, model, 2, seed).bound.id.astype(int)] += 1
    assert (np.abs(seen - 100) < 4 * np.sqrt(75)).all()


def test_of_peaks_have_places_in_the_genome(model, tmp_path):
    length, rng = model.card.encoding.length, np.random.default_rng(0)
    (tmp_path / "g.fa").write_text(f">chr1\n{letters(rng, 10 * length)}\n")
    (tmp_path / "p.bed").write_text(f"chr1\t{3 * length}\t{4 * length}\nchr1\t0\t{6 * length}\nchr2\t1\t90\n")
    chosen = from_peaks(tmp_path / "p.bed", tmp_path / "g.fa", model)
    assert chosen.bound.contig.tolist() == ["chr1", "chr1"]
    assert (chosen.bound.end - chosen.bound.start == length).all()
    assert chosen.left_out == {"no_contig": 1}


def test_nothing_that_can_be_scored_is_refused(model, tmp_path):
    (tmp_path / "in.fa").write_text(">a\nACGT\n>b\nNNNNNNNNNNNNNNNNNN\n")
    with pytest.raises(
        TfbindError, match=r"in.fa: found 2 bound sequences \(1 too_short, 1 ambiguous\), expected one"
    ):
        from_fasta(tmp_path / "in.fa", model)
