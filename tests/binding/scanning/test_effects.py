"""Effects by hand: models that count a site exactly, and the definition written out window by window."""

import zlib
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from tfbind.binding.model.model import spread
from tfbind.binding.scanning.alleles import Allele, Haplotype, alleles_of
from tfbind.binding.scanning.effects import counterpart_places, effects, gather
from tfbind.dna.alphabet import decode_letters, encode_letters
from tfbind.dna.vcf import Variant

LENGTH = 60
SITE = "TGACCGTATT"
COMPLEMENT = str.maketrans("ACGT", "TGCA")


class CountingModel:
    """Its logit is 10 for every SITE on either strand, minus 5; and a second factor's the same for its halves."""

    class card:
        tasks = ("whole", "half")

    @staticmethod
    def logits(codes, valid_length):
        sequences = [decode_letters(row) for row in codes]
        return np.array([[10.0 * count(one, SITE) - 5, 10.0 * count(one, SITE[:7]) - 5] for one in sequences])


class HashingModel:
    """Its logit is a number between -8 and 8 that every sequence has of its own; both strands have the same."""

    class card:
        tasks = ("one",)

    @staticmethod
    def logits(codes, valid_length):
        sequences = [decode_letters(row[:n]) for row, n in zip(codes, valid_length.tolist(), strict=True)]
        return np.array([[own_number(one)] for one in sequences])


def reverse_complement(letters: str) -> str:
    return letters[::-1].translate(COMPLEMENT)


def count(letters: str, site: str) -> int:
    return letters.count(site) + letters.count(reverse_complement(site))


def own_number(letters: str) -> float:
    return zlib.crc32(min(letters, reverse_complement(letters)).encode()) / 2**28 - 8


class Contig(NamedTuple):
    """A genome of one contig, held in memory."""

    letters: str
    path: str = "contig"

    @property
    def contigs(self):
        return {"c": len(self.letters)}

    @staticmethod
    def find_contig(name):
        return name

    def fetch(self, contig, start, end):
        return self.letters[start:end]


def sequence(n: int, seed: int) -> str:
    """Without a SITE, nor half of one."""
    rng = np.random.default_rng(seed)
    while count(letters := "".join(rng.choice(list("ACGT"), n)), SITE[:5]):
        pass
    return letters


def effect(model, reference: str, begin: int, ref: str, alt: str, *, length=LENGTH, stride=20) -> np.ndarray:
    """Reference, allele and delta, for each factor, of the bases from ``begin`` (0-based) on."""
    (allele,) = alleles_of(Variant("c", begin + 1, ".", ref, (alt,)), Contig(reference), length, stride)
    return effects(model, [allele])[0]


def replacement(
    model, reference: str, begin: int, n: int, alt: str, **options
) -> tuple[np.ndarray, np.ndarray]:
    """The effect of ``alt`` in the place of ``n`` bases from ``begin`` on, and of the way back.

    Written as in a VCF: with the base in front of them or, at a contig's start, the base after them.
    """
    changed = reference[:begin] + alt + reference[begin + n :]
    first, after = (begin - 1, 0) if begin else (0, 1)
    ref = reference[first : begin + n + after]
    alt = changed[first : begin + len(alt) + after]
    there = effect(model, reference, first, ref, alt, **options)
    back = effect(model, changed, first, alt, ref, **options)
    return there, back


def deletion(model, reference: str, begin: int, n: int, **options) -> np.ndarray:
    """The effect of taking ``n`` bases out."""
    return replacement(model, reference, begin, n, "", **options)[0]


LOSS = [expit(5), expit(-5), -10]
GAIN = [expit(-5), expit(5), 10]
NOTHING = [expit(-5), expit(-5), 0]
LEFT, RIGHT = sequence(400, seed=1), sequence(400, seed=2)


class TestGather:
    def test_counts_both_alleles_windows_and_those_without(self):
        three = haplotype([0.0] * 3)
        one, none = Allele((), "", three, three), Allele((), "ref_mismatch")
        groups = gather([one, one, none, none, one], 13)
        assert [len(group) for group in groups] == [3, 2]


def haplotype(scores: list[float], *, n_changed=1, start=None) -> Haplotype:
    """Windows whose codes are their scores, for `ReadingModel`."""
    n = len(scores)
    codes = np.frombuffer(np.array(scores, np.float64).tobytes(), np.uint8).reshape(n, 8)
    start = np.arange(n) - n + 1 if start is None else np.array(start)
    return Haplotype(codes, np.full(n, 8, np.int32), start, np.full(n, True), n_changed)


class ReadingModel:
    """Reads the score of a window off its codes."""

    class card:
        tasks = ("one",)

    @staticmethod
    def logits(codes, valid_length):
        return np.frombuffer(codes.tobytes(), np.float64)[:, None].copy()


class TestEffects:
    def test_the_window_with_the_largest_delta_decides_an_snv(self):
        ref, alt = logit([0.5, 0.5, 0.2]), logit([0.6, 0.1, 0.3])
        ((found,),) = effects(ReadingModel, [Allele((), "", haplotype(ref), haplotype(alt))])
        assert found == pytest.approx([0.5, 0.1, logit(0.1) - logit(0.5)])

    def test_each_factor_has_a_window_of_its_own(self):
        class Model:
            class card:
                tasks = ("a", "b")

            @staticmethod
            def logits(codes, valid_length):
                return np.array([[0.0, 2], [0, 0], [1, 2], [3, 9]])

        one = haplotype([0.0, 0.0])
        ((a, b),) = effects(Model, [Allele((), "", one, one)])
        assert a == pytest.approx([0.5, expit(3), 3])
        assert b == pytest.approx([0.5, expit(9), 9])

    def test_alleles_keep_to_their_own_windows(self):
        two = Allele((), "", haplotype([0.0, 0.0]), haplotype([0.5, -2.0]))
        one = Allele((), "", haplotype([9.0]), haplotype([7.0]))
        found = effects(ReadingModel, [Allele((), "x"), two, Allele((), "x"), one])
        assert found[:, 0, 2] == pytest.approx([np.nan, -2, np.nan, -2], nan_ok=True)

    def test_counterparts_are_of_the_same_allele(self):
        # the places with the same ends are to the right of the only window of the allele
        ref = haplotype([0.0, 3], n_changed=0, start=[-2, -1])
        short = Allele((), "", ref, haplotype([-1.0], n_changed=9, start=[-2]))
        high = Allele((), "", haplotype([50.0]), haplotype([50.0]))
        assert effects(ReadingModel, [high, short, high])[:, 0, 2].tolist() == [0, -4, 0]

    def test_of_equal_leads_the_leftmost_decides(self):
        one, other = haplotype([5.0, 0, 0]), haplotype([0.0, 0, 5])
        assert effects(ReadingModel, [Allele((), "", one, other)])[0, 0, 2] == -5
        assert effects(ReadingModel, [Allele((), "", other, one)])[0, 0, 2] == 5

    def test_of_no_window_at_all(self):
        assert np.isnan(effects(ReadingModel, [Allele((), "x")])).all()

    def test_delta_is_exact_where_probabilities_round_to_1(self):
        found = effects(ReadingModel, [Allele((), "", haplotype([36.0]), haplotype([36.01]))])
        assert found[0, 0].tolist() == [expit(36.0), expit(36.01), 36.01 - 36]
        found = effects(ReadingModel, [Allele((), "", haplotype([800.0]), haplotype([-800.0]))])
        assert found[0, 0].tolist() == [1, 0, -1600]

    def test_windows_that_are_not_usable_do_not_count(self):
        ref, alt = haplotype([5.0, 0.0]), haplotype([-5.0, 1.0])
        ref.usable[0] = False
        assert effects(ReadingModel, [Allele((), "", ref, alt)])[0, 0, 2] == 1
        ref.usable[1] = False
        assert np.isnan(effects(ReadingModel, [Allele((), "", ref, alt)])).all()

    def test_a_window_inside_a_deletion_is_held_against_all_that_remain(self):
        ref = haplotype([0.0, 9, 0], n_changed=20, start=[-4, 6, 16])
        alt = haplotype([1.0, 2, 4], n_changed=0, start=[-6, -4, -2])
        ((found,),) = effects(ReadingModel, [Allele((), "", ref, alt)])
        assert found == pytest.approx([expit(9), expit(4), -5])


class TestCounterpartPlaces:
    @pytest.mark.parametrize(
        ("start", "n_here", "n_there", "places"),
        [
            (-20, 1, 1, (-20, -20)),
            (0, 1, 1, (0, 0)),
            (-20, 5, 5, (-20, -20)),
            (-20, 30, 0, (-50, -20)),
            (-20, 0, 30, (-20, 10)),
            # the end is inside the change
            (-20, 100, 0, (-60, -20)),
            (-20, 100, 50, (-60, -10)),
            # the start is
            (70, 100, 0, (-30, 0)),
            (70, 100, 50, (0, 50)),
            # both are
            (20, 100, 0, (-60, 0)),
            (20, 100, 50, (-60, 50)),
        ],
    )
    def test_literal_examples(self, start, n_here, n_there, places):
        found = counterpart_places(np.array([start]), LENGTH, np.array([n_here]), np.array([n_there]))
        assert tuple(int(place[0]) for place in found) == places


class TestLongAlleles:
    @pytest.mark.parametrize("stride", [1, 20])
    @pytest.mark.parametrize("n", [30, 120, 300])
    def test_a_deletion_of_the_only_site(self, n, stride):
        offsets = {*range(0, n - len(SITE) + 1, 1 if stride > 1 else 29), n - len(SITE)}
        for at in offsets:
            removed = sequence(n, seed=n)
            removed = removed[:at] + SITE + removed[at + len(SITE) :]
            found = deletion(CountingModel, LEFT + removed + RIGHT, len(LEFT), n, stride=stride)
            assert found[0] == pytest.approx(LOSS, abs=1e-6), at

    @pytest.mark.parametrize("stride", [1, 20])
    @pytest.mark.parametrize("n", [1, 5, 30, 120, 300])
    def test_a_deletion_that_cuts_the_site(self, n, stride):
        for cut in (1, 5, 9):
            removed = SITE[cut:] + sequence(max(n - len(SITE) + cut, 0), seed=n)
            found = deletion(
                CountingModel, LEFT + SITE[:cut] + removed + RIGHT, len(LEFT) + cut, n, stride=stride
            )
            assert found[0] == pytest.approx(LOSS, abs=1e-6), cut

    @pytest.mark.parametrize("stride", [1, 20])
    @pytest.mark.parametrize("n", [1, 2, 7, 30, 59, 60, 61, 120, 300])
    def test_a_site_beside_a_change_is_neither_lost_nor_gained(self, n, stride):
        for gap in {*range(0, 60, 3), 58, 59}:
            for reference, begin in (
                (LEFT + SITE + RIGHT[:gap] + sequence(n, seed=n) + RIGHT, len(LEFT + SITE) + gap),
                (LEFT + sequence(n, seed=n) + RIGHT[:gap] + SITE + RIGHT, len(LEFT)),
            ):
                there, back = replacement(CountingModel, reference, begin, n, "", stride=stride)
                assert there[:, 2].tolist() == back[:, 2].tolist() == [0, 0], gap

    @pytest.mark.parametrize("stride", [1, 20])
    @pytest.mark.parametrize("at", [0, 3, 100, 250, 290])
    def test_an_insertion_brings_a_site(self, at, stride):
        inserted = sequence(300, seed=3)
        inserted = inserted[:at] + SITE + inserted[at + len(SITE) :]
        anchor = LEFT[-1]
        found = effect(CountingModel, LEFT + RIGHT, len(LEFT) - 1, anchor, anchor + inserted, stride=stride)
        assert found[0] == pytest.approx(GAIN)

    @pytest.mark.parametrize("n", [3, 30, 300])
    def test_an_insertion_splits_a_site(self, n):
        inserted = sequence(n, seed=4)
        there, back = replacement(CountingModel, LEFT + SITE + RIGHT, len(LEFT) + 5, 0, inserted, stride=20)
        assert there[0] == pytest.approx(LOSS)
        assert back[0] == pytest.approx(GAIN)

    def test_a_deletion_joins_the_halves_of_a_site(self):
        removed = sequence(300, seed=5)
        found = deletion(CountingModel, LEFT + SITE[:5] + removed + SITE[5:] + RIGHT, len(LEFT) + 5, 300)
        assert found[0] == pytest.approx(GAIN)

    def test_the_site_may_be_on_the_other_strand(self):
        other = reverse_complement(SITE)
        removed = RIGHT[:100] + other + RIGHT[:100]
        assert deletion(CountingModel, LEFT + removed + RIGHT, len(LEFT), 210)[0] == pytest.approx(LOSS)

    def test_a_deletion_of_one_of_two_sites_at_a_distance(self):
        """What remains further away than a window is not looked at."""
        removed = RIGHT[:100] + SITE + RIGHT[:100]
        far = LEFT + removed + RIGHT[:100] + SITE + RIGHT
        assert deletion(CountingModel, far, len(LEFT), 210)[0] == pytest.approx(LOSS)

    @pytest.mark.parametrize("n", [70, 150, 300])
    def test_an_inversion_keeps_a_site(self, n):
        middle = sequence(n, seed=6)
        middle = middle[:20] + SITE + middle[30:]
        reference = LEFT + middle + RIGHT
        for stride in (1, 20):
            there, back = replacement(
                CountingModel, reference, len(LEFT), n, reverse_complement(middle), stride=stride
            )
            assert there[0] == pytest.approx([expit(5), expit(5), 0])
            assert back[0] == pytest.approx([expit(5), expit(5), 0])

    def test_complex_alleles(self):
        with_site = RIGHT[:70] + SITE + RIGHT[:70]
        for alt in (RIGHT[100:103], RIGHT[100:180], RIGHT[100:350], with_site.replace(SITE, SITE[:-1] + "A")):
            there, back = replacement(CountingModel, LEFT + with_site + RIGHT, len(LEFT), 150, alt)
            assert there[0] == pytest.approx(LOSS)
            assert back[0] == pytest.approx(GAIN)


class TestContigEnds:
    @pytest.mark.parametrize("stride", [1, 20, 60])
    @pytest.mark.parametrize("n", [1, 9, 30, 100, 300])
    def test_a_deletion_at_either_end(self, n, stride):
        for at in {0, max(n - len(SITE), 0)}:
            middle = sequence(n, seed=9)
            removed = (middle[:at] + SITE + middle[at + len(SITE) :])[: max(n, len(SITE))]
            for letters, begin in ((removed + RIGHT, 0), (LEFT + removed, len(LEFT + removed) - n)):
                there, back = replacement(CountingModel, letters, begin, n, "", stride=stride)
                assert there[0] == pytest.approx(LOSS)
                assert back[0] == pytest.approx(GAIN)

    @pytest.mark.parametrize("n", [1, 30, 100])
    def test_a_site_next_to_it_stays(self, n):
        for letters, begin in (
            (RIGHT[:n] + SITE + RIGHT, 0),
            (LEFT + SITE + RIGHT[:n], len(LEFT + SITE)),
        ):
            there, back = replacement(CountingModel, letters, begin, n, "")
            assert there[0] == pytest.approx([expit(5), expit(5), 0])
            assert back[0] == pytest.approx([expit(5), expit(5), 0])

    def test_a_contig_shorter_than_a_window(self):
        contig = RIGHT[:15] + SITE + RIGHT[:15]
        for begin, n in ((0, 25), (15, 10), (15, 25), (12, 8)):
            there, back = replacement(CountingModel, contig, begin, n, "")
            assert there[0] == pytest.approx(LOSS)
            assert back[0] == pytest.approx(GAIN)
        there, back = replacement(CountingModel, contig, 20, 0, RIGHT[50:350])
        assert there[0] == pytest.approx(LOSS)
        assert back[0] == pytest.approx(GAIN)

    def test_a_deletion_of_all_but_a_window(self):
        contig = RIGHT[:20] + SITE + RIGHT[:300]
        there, back = replacement(CountingModel, contig, 0, 270, "")
        assert there[0] == pytest.approx(LOSS)
        assert back[0] == pytest.approx(GAIN)


def by_definition(
    model, reference: str, changed: str, begin: int, n_ref: int, n_alt: int, length: int
) -> float:
    """The effect with stride 1, window by window; places are counted from the start of the haplotype."""
    sides = []
    for letters, n, other_n, other in (
        (reference, n_ref, n_alt, changed),
        (changed, n_alt, n_ref, reference),
    ):
        for start in range(len(letters) - length + 1):
            end = start + length
            holds = start < begin + n and end > begin if n else start < begin < end
            if not holds and not (n == 0 and begin in (0, len(letters)) and begin in (start, end)):
                continue
            starts = [start] if start <= begin else range(begin, begin + other_n + 1)
            in_right = end - n + other_n
            ends = [in_right] if end >= begin + n else range(begin, begin + other_n + 1)
            places = [*starts, *(end - length for end in ends)]
            low, high = min(places), max(places)
            rivals = [
                place
                for place in range(len(other) - length + 1)
                if low <= place <= high
                and (place < begin + other_n or (other_n == 0 and begin in (0, len(other))))
                and (place + length > begin or (other_n == 0 and begin in (0, len(other))))
                and (other_n or place < begin < place + length or begin in (0, len(other)))
            ]
            against = max(score(model, other[place : place + length]) for place in rivals)
            lead = score(model, letters[start:end]) - against
            sides.append((lead, -start, -lead if letters is reference else lead))
    return max(sides)[2]


def score(model, letters: str) -> float:
    return float(model.logits(encode_letters(letters)[None], np.array([len(letters)]))[0, 0])


bases = st.text("ACGT", min_size=0, max_size=30)
flanks = st.text("ACGT", min_size=25, max_size=60)


def in_place(left: str, ref: str, alt: str, right: str) -> tuple[Variant, Contig]:
    """The change as a record, and its genome."""
    if left:
        return Variant("c", len(left), ".", left[-1] + ref, (left[-1] + alt,)), Contig(left + ref + right)
    return Variant("c", 1, ".", ref + right[:1], (alt + right[:1],)), Contig(ref + right)


@st.composite
def changes(draw, *, models=(CountingModel, HashingModel)):
    left, ref, alt, right = draw(flanks), draw(bases), draw(bases), draw(flanks)
    if draw(st.booleans()):
        place = draw(st.integers(0, len(ref)))
        ref = ref[:place] + SITE[:7] + ref[place:]
    where = draw(st.sampled_from(["middle", "middle", "start", "end"]))
    left, right = "" if where == "start" else left, "" if where == "end" else right
    assume(ref != alt)
    return draw(st.sampled_from(models)), left, ref, alt, right


class TestProperties:
    @settings(deadline=None, max_examples=150)
    @given(changes(), st.sampled_from([1, 2, 4, 6, 12, 50]))
    def test_swapping_ref_and_alt_changes_the_sign_alone(self, change, stride):
        model, left, ref, alt, right = change
        assume((left or ref) and (left or alt))
        there, back = replacement(
            model, left + ref + right, len(left), len(ref), alt, length=12, stride=stride
        )
        assert np.array_equal(there[:, 2], -back[:, 2])
        assert np.array_equal(there[:, :2], back[:, 1::-1])

    @settings(deadline=None, max_examples=150)
    @given(changes(models=[HashingModel]))
    def test_the_other_strand_gives_the_same_with_stride_1(self, change):
        model, left, ref, alt, right = change
        assume((left or (ref and alt)) and (right or (ref and alt)))
        (allele,) = alleles_of(*in_place(left, ref, alt, right), 12, 1)
        # a repeat is followed for a window to either side
        assume((ref and alt) or min(allele.ref.n_changed, allele.alt.n_changed) < 12)
        here, _ = replacement(model, left + ref + right, len(left), len(ref), alt, length=12, stride=1)
        other_left, other_ref, other_alt, other_right = (
            reverse_complement(part) for part in (right, ref, alt, left)
        )
        there, _ = replacement(
            model,
            other_left + other_ref + other_right,
            len(other_left),
            len(other_ref),
            other_alt,
            length=12,
            stride=1,
        )
        assert np.array_equal(here[:, 2], there[:, 2])
        # without an effect it is the leftmost window that is shown, on either strand
        assert here[0, 2] == 0 or np.array_equal(here, there)

    @settings(deadline=None, max_examples=150)
    @given(changes(models=[HashingModel]))
    def test_stride_1_is_the_definition_written_out(self, change):
        model, left, ref, alt, right = change
        # neither a shared base at the ends nor a repeat, so that the change is where it is written
        assume(not ref or not alt or (ref[0] != alt[0] and ref[-1] != alt[-1]))
        longer = ref or alt
        if not ref or not alt:
            assume(not left or left[-1] != longer[-1])
            assume(not right or right[0] != longer[0])
        assume((left or ref) and (left or alt))
        found, _ = replacement(model, left + ref + right, len(left), len(ref), alt, length=12, stride=1)
        expected = by_definition(
            model, left + ref + right, left + alt + right, len(left), len(ref), len(alt), 12
        )
        assert found[0, 2] == pytest.approx(expected)

    @settings(deadline=None, max_examples=100)
    @given(changes(), st.sampled_from([1, 4]))
    def test_ref_and_alt_are_the_probabilities_of_the_delta(self, change, stride):
        model, left, ref, alt, right = change
        assume((left or ref) and (left or alt))
        found, _ = replacement(model, left + ref + right, len(left), len(ref), alt, length=12, stride=stride)
        assert logit(found[:, 1]) - logit(found[:, 0]) == pytest.approx(found[:, 2], abs=1e-6)


class TwoModels:
    """An ensemble of two networks whose logits are a number that every sequence has of its own."""

    class card:
        tasks = ("one",)

    @staticmethod
    def member_logits(codes, valid_length):
        one = HashingModel.logits(codes, valid_length)
        # another number: that of the sequence without its first and last base
        other = HashingModel.logits(codes[:, 1:-1], valid_length - 2)
        return np.stack([one, other])

    @classmethod
    def logits(cls, codes, valid_length):
        return cls.member_logits(codes, valid_length).mean(axis=0)


class TestUncertainty:
    CHANGES = (("A", "C"), ("AC", "A"), ("A", "AGG"), ("ACGTACGTACGTACGTACGTACGT", "A"), ("A", "C" * 90))

    def alleles(self):
        rng = np.random.default_rng(4)
        letters = "".join(rng.choice(list("ACGT"), 600))
        for number, (ref, alt) in enumerate(self.CHANGES):
            begin = 100 + 80 * number
            contig = Contig(letters[:begin] + ref + letters[begin + len(ref) :])
            yield from alleles_of(Variant("c", begin + 1, ".", ref, (alt,)), contig, LENGTH, 7)

    def test_is_the_spread_of_the_delta_of_the_same_windows(self, monkeypatch):
        """The members' differences are those whose mean is the delta."""
        differences = []

        def kept(values):
            differences.append(values)
            return spread(values)

        monkeypatch.setattr("tfbind.binding.scanning.effects.spread", kept)
        alleles = list(self.alleles())
        found = effects(TwoModels, alleles, uncertainty=True)
        assert found.shape == (len(self.CHANGES), 1, 4)
        np.testing.assert_array_equal(found[:, :, :3], effects(TwoModels, alleles))
        (values,) = differences
        delta = found[:, 0, 2]
        np.testing.assert_allclose(np.abs(values.mean(axis=0)), np.abs(delta), atol=1e-9)
        np.testing.assert_allclose(found[:, 0, 3], np.abs(values[0] - values[1]) / np.sqrt(2), atol=1e-9)
        assert (found[:, 0, 3] > 0).all()

    def test_of_one_base_by_hand(self):
        allele = next(self.alleles())
        found = effects(TwoModels, [allele], uncertainty=True)[0, 0]
        sides = [
            TwoModels.member_logits(side.codes, side.valid_length)[:, :, 0]
            for side in (allele.ref, allele.alt)
        ]
        delta = sides[1] - sides[0]
        decides = np.abs(delta.mean(axis=0)).argmax()
        assert found[3] == pytest.approx(np.std(delta[:, decides], ddof=1))

    def test_without_a_score_there_is_none(self):
        found = effects(TwoModels, [Allele((), "ref_mismatch")], uncertainty=True)
        assert np.isnan(found).all()
