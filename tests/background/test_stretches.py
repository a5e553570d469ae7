from pathlib import Path

import numpy as np
import pytest

from tfbind.background.stretches import Stretches, judged_batches, read_stretches
from tfbind.dna.alphabet import encode_letters
from tfbind.dna.fasta import read_fasta
from tfbind.errors import TfbindError


def stretches(*texts):
    codes = [encode_letters(text) for text in texts]
    return Stretches(np.concatenate(codes), np.cumsum([0, *map(len, codes)]))


def random_genome(path: Path, length: int) -> str:
    text = "".join(np.random.default_rng(2).choice(list("ACGTacgt"), length))
    path.write_text(f">a\n{text}\n")
    return text


class TestParts:
    def test_hold_every_base_once(self, genome):
        parts = read_stretches(genome)
        read = np.concatenate([encode_letters(text) for _, text in read_fasta(genome)])
        found = np.concatenate([part.codes for part in parts])
        assert (np.bincount(found) == np.bincount(read)[:4]).all()

    def test_are_whole_blocks(self, tmp_path):
        text = random_genome(tmp_path / "g.fa", 60_000).upper()
        places = []
        for part in read_stretches(tmp_path / "g.fa"):
            for stretch in part:
                place = text.index("".join("ACGT"[code] for code in stretch))
                assert place % 1000 == 0
                assert len(stretch) % 1000 == 0
                places += range(place, place + len(stretch))
        assert sorted(places) == list(range(60_000))

    def test_share_no_20_mer_on_either_strand(self, tmp_path):
        random_genome(tmp_path / "g.fa", 60_000)
        training, validation, test = (
            {"".join("ACGT"[c] for c in s[i : i + 20]) for s in part for i in range(len(s) - 19)}
            for part in read_stretches(tmp_path / "g.fa")
        )
        either = training | {word[::-1].translate(str.maketrans("ACGT", "TGCA")) for word in training}
        assert not either & (validation | test)
        assert not validation & test

    def test_end_at_ambiguous_bases(self, tmp_path):
        text = random_genome(tmp_path / "g.fa", 60_000)
        broken = "".join(text[i : i + 100] + "N" + text[i : i + 7] + "R" for i in range(0, len(text), 1000))
        (tmp_path / "g.fa").write_text(f">a\n{broken * 3}\n")
        found = [stretch for part in read_stretches(tmp_path / "g.fa") for stretch in part]
        # the runs of 7 are too short, and a block's border may cut a run of 100
        assert {len(stretch) for stretch in found} <= set(range(20, 101))
        assert max(stretch.max() for stretch in found) == 3

    def test_are_a_twentieth_each_held_out(self, genome):
        training, validation, test = read_stretches(genome)
        for part in (validation, test):
            assert 0.03 < len(part.codes) / 120_000 < 0.07
        assert len(training.codes) > 100_000

    def test_none_is_left_without_bases(self, tmp_path):
        (tmp_path / "g.fa").write_text(">a\n" + "ACGTACGTAN" * 2000 + "\n")
        with pytest.raises(
            TfbindError, match=r"g\.fa: found no stretch of 20 unambiguous bases for the train"
        ):
            read_stretches(tmp_path / "g.fa")


def test_judged_are_both_strands_but_their_first_bases():
    batches = list(judged_batches(stretches("AACGT", "ACG", "CCCCGGA"), skip=3, size=2))
    assert [batch.codes.tolist() for batch in batches] == [
        [[1, 1, 1, 1, 2, 2, 0], [3, 1, 1, 2, 2, 2, 2]],
        [[0, 0, 1, 2, 3], [0, 1, 2, 3, 3]],
    ]
    assert [batch.judged.sum(axis=1).tolist() for batch in batches] == [[4, 4], [2, 2]]
    assert not any(batch.judged[:, :3].any() for batch in batches)


def test_judged_leave_the_padding_out():
    (batch,) = judged_batches(stretches("AACGT", "CCCCGGA"), skip=1, size=64)
    assert batch.judged.sum(axis=1).tolist() == [6, 4, 6, 4]
    assert batch.codes[~batch.judged & (np.arange(7) > 0)].tolist() == [4] * 4


class TestLimits:
    def test_ten_thousand_bases_are_needed(self, tmp_path):
        random_genome(tmp_path / "g.fa", 9_999)
        with pytest.raises(TfbindError, match=r"found 9,999 unambiguous bases, expected 10,000"):
            read_stretches(tmp_path / "g.fa")
        random_genome(tmp_path / "g.fa", 10_000)
        assert sum(len(part.codes) for part in read_stretches(tmp_path / "g.fa")) == 10_000

    @pytest.mark.parametrize(("n", "block"), [(30_000, 500), (600_000, 10_000), (900_000, 10_000)])
    def test_blocks_are_a_sixtieth_of_a_small_genome_and_10_kb_of_a_large_one(self, tmp_path, n, block):
        random_genome(tmp_path / "g.fa", n)
        lengths = [len(stretch) for part in read_stretches(tmp_path / "g.fa") for stretch in part]
        assert {length % block for length in lengths} == {0}
        # a block alone between blocks of another part
        assert min(lengths) == block

    @pytest.mark.parametrize(("run", "is_kept"), [(19, False), (20, True)])
    def test_stretches_of_twenty_bases_are_kept(self, tmp_path, run, is_kept):
        # ten thousand bases in a row, then a run between ambiguous bases at the end of the last block
        text = random_genome(tmp_path / "g.fa", 12_000)
        (tmp_path / "g.fa").write_text(
            f">a\n{text}\n>b\nN{'ACGTT' * 4}\n".replace("ACGTT" * 4, ("ACGTT" * 4)[:run])
        )
        n_bases = sum(len(part.codes) for part in read_stretches(tmp_path / "g.fa"))
        assert n_bases == 12_000 + (run if is_kept else 0)

    def test_no_more_than_a_megabase_is_held_out_for_either_part(self, tmp_path):
        # of 25 Mb a twentieth would be 1.25 Mb
        letters = np.frombuffer(b"ACGT", np.uint8)[np.random.default_rng(3).integers(0, 4, 25_000_000)]
        (tmp_path / "g.fa").write_bytes(b">a\n" + letters.tobytes() + b"\n")
        _, validation, test = read_stretches(tmp_path / "g.fa")
        # blocks of 10 kb
        assert [len(part.codes) for part in (validation, test)] == pytest.approx([1_000_000] * 2, abs=20_000)
