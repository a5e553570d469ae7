import numpy as np

from tfbind.binding.scanning.orientation import FLANK, orient
from tfbind.dna.alphabet import AMBIGUOUS, encode_letters

COMPLEMENT = np.array([3, 2, 1, 0, AMBIGUOUS], np.uint8)


def around_summits(site, n, seed=0, jitter=2, wrong=0.1):
    """Codes around n summits: the site on either strand, a little off the middle, with some wrong bases."""
    rng = np.random.default_rng(seed)
    strand = np.where(rng.random(n) < 0.5, "+", "-")
    codes = rng.integers(0, 4, (n, 2 * FLANK + 1)).astype(np.uint8)
    forward = encode_letters(site)
    for row, one in enumerate(strand):
        copy = np.where(rng.random(len(site)) < wrong, rng.integers(0, 4, len(site)), forward).astype(
            np.uint8
        )
        start = FLANK - len(site) // 2 + rng.integers(-jitter, jitter + 1)
        codes[row, start : start + len(site)] = copy if one == "+" else COMPLEMENT[copy[::-1]]
    return codes, strand


class TestOrient:
    def test_gives_the_strand_that_the_motif_reads_on(self):
        around, strand = around_summits("TACCCAAGC", 200)
        found = orient(around, np.arange(200.0))
        certain = found.strand != "."
        assert certain.mean() > 0.9
        assert (found.strand[certain] == strand[certain]).mean() > 0.99
        assert "TACCCAAGC" in found.consensus

    def test_plus_is_where_a_and_c_outweigh(self):
        around, strand = around_summits("GCTTGGGTA", 200)
        found = orient(around, np.arange(200.0))
        certain = found.strand != "."
        assert "TACCCAAGC" in found.consensus
        assert (found.strand[certain] != strand[certain]).mean() > 0.99

    def test_a_palindrome_has_none(self):
        found = orient(around_summits("TGACGTCA", 200, wrong=0.0)[0], np.arange(200.0))
        assert (found.strand == ".").mean() > 0.9

    def test_a_few_sites_do_not_say(self):
        found = orient(around_summits("TACCCAAGC", 19)[0], np.arange(19.0))
        assert (set(found.strand), found.consensus) == ({"."}, "")
        assert orient(np.empty((0, 2 * FLANK + 1), np.uint8), np.empty(0)).strand.shape == (0,)

    def test_a_site_at_the_end_of_its_sequence_has_one(self):
        around, strand = around_summits("TACCCAAGC", 100, wrong=0.0)
        around[:10, : FLANK - 7] = AMBIGUOUS
        found = orient(around, np.arange(100.0))
        assert (found.strand == strand).all()
