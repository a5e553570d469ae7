import numpy as np

from tfbind.binding.interpretation.modisco import Pattern
from tfbind.binding.interpretation.motifs import find_motifs
from tfbind.binding.interpretation.sites import Scanner, base_frequencies, find_sites, sites_by_letters

SITE = np.array([3, 2, 0, 1, 2, 3, 1, 0], np.uint8)  # TGACGTCA is a palindrome: one base of it is another
SITE[0] = 1


def planted(make_sequences, n=40, length=60):
    """Sequences with a site each, on either strand, and contributions of its bases alone."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (n, length)).astype(np.uint8)
    start, is_reverse = rng.integers(0, length - len(SITE) + 1, n), rng.random(n) < 0.5
    scores = rng.normal(0, 0.01, (n, length, 4)).astype(np.float32)
    for row in range(n):
        site = 3 - SITE[::-1] if is_reverse[row] else SITE
        codes[row, start[row] : start[row] + len(SITE)] = site
        scores[row, start[row] + np.arange(len(SITE)), site] = 1
    return make_sequences(codes), scores, start, is_reverse


def pattern_round(start, is_reverse, width=14):
    """A pattern whose seqlets have the site in their middle, and may begin before the sequence does."""
    first = start - (width - len(SITE)) // 2
    return Pattern(1, np.arange(len(start)), first, first + width, is_reverse)


class TestMotif:
    def test_is_what_the_seqlets_share(self, make_sequences):
        sequences, scores, start, is_reverse = planted(make_sequences)
        assert (start < 3).any()
        (motif,) = find_motifs([pattern_round(start, is_reverse)], sequences, scores)
        assert motif.name == "motif_1"
        assert motif.consensus == "CGACGTCA"
        assert (motif.counts.sum(axis=1) == 40).all()
        np.testing.assert_allclose(motif.contributions.sum(axis=1), 1, atol=1e-6)
        assert (motif.start == start).all()
        turned = motif.reverse_complement()
        assert turned.consensus == "TGACGTCG"
        assert (turned.is_reverse == ~is_reverse).all()

    def test_against_binding_has_a_name_of_its_own(self, make_sequences):
        sequences, scores, start, is_reverse = planted(make_sequences)
        patterns = [pattern_round(start, is_reverse)._replace(sign=sign) for sign in (1, -1, 1)]
        names = [motif.name for motif in find_motifs(patterns, sequences, scores)]
        assert names == ["motif_1", "against_1", "motif_2"]


class TestSites:
    def test_are_those_that_were_planted(self, make_sequences):
        sequences, scores, start, is_reverse = planted(make_sequences)
        # the letters alone are not enough
        row = int((start < 30).argmax())
        sequences.codes[row, 40:48] = SITE
        (motif,) = find_motifs([pattern_round(start, is_reverse)], sequences, scores)
        scanner = Scanner(motif, sequences, base_frequencies(sequences.codes))
        sites = find_sites([scanner], sequences, scores)
        assert (sites.sequence == np.arange(40)).all()
        assert (sites.start == start).all()
        assert (sites.is_reverse == is_reverse).all()
        np.testing.assert_allclose(sites.contribution, 8, atol=0.1)
        by_letters = set(zip(*sites_by_letters(scanner, sequences.codes), strict=True))
        assert by_letters >= {*zip(range(40), start, strict=True), (row, 40)}

    def test_of_two_that_overlap_the_one_that_contributes_more_is_kept(self, make_sequences):
        sequences, scores, start, is_reverse = planted(make_sequences)
        one = pattern_round(start, is_reverse)
        part = one._replace(start=start, end=start + 5, is_reverse=np.zeros(40, bool))
        motifs = find_motifs([part, one], sequences, scores)
        background = base_frequencies(sequences.codes)
        scanners = [Scanner(motif, sequences, background) for motif in motifs]
        sites = find_sites(scanners, sequences, scores)
        assert (sites.motif[np.isin(sites.start, start)] == 1).sum() == 40

    def test_a_place_with_an_ambiguous_base_is_none(self, make_sequences):
        sequences, scores, start, is_reverse = planted(make_sequences)
        (motif,) = find_motifs([pattern_round(start, is_reverse)], sequences, scores)
        scanner = Scanner(motif, sequences, base_frequencies(sequences.codes))
        codes = sequences.codes.copy()
        codes[:, 30] = 4
        scores_there = scanner.scan(codes)[:, :, 30 - 7 : 31]
        assert np.isneginf(scores_there).all()
        assert np.isfinite(scanner.scan(codes)[:, :, :23]).all()

    def test_without_motifs_there_are_none(self, make_sequences):
        sequences, scores, _, _ = planted(make_sequences)
        assert find_sites([], sequences, scores).n == 0
