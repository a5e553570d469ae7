import logging

import pytest

from tfbind.contigs import Contigs, one_spelling, renamed_note, some_names
from tfbind.errors import TfbindError


class TestMatch:
    @pytest.mark.parametrize(
        ("names", "here", "expected"),
        [
            (["1", "2"], ["1", "2", "3"], {"1": "1", "2": "2"}),
            (["chr1", "2", "X"], ["1", "chr2"], {"chr1": "1", "2": "chr2"}),
            (["Chr1"], ["CHR1"], {"Chr1": "CHR1"}),
            (["chr1"], ["1", "chr1"], {"chr1": "chr1"}),
            (["20", "20"], [""], {"20": ""}),
        ],
    )
    def test_by_name_or_except_for_chr(self, names, here, expected):
        assert Contigs(here, "a.fa").match(names, "b.bed") == expected

    def test_logs_one_line_if_spellings_differ(self, caplog):
        caplog.set_level(logging.INFO)
        names = [f"chr{i}" for i in range(1, 6)]
        Contigs("12345", "a.fa").match(names, "b.bed")
        assert caplog.messages == [
            "contigs of b.bed and a.fa match except for 'chr': chr1 = 1, chr2 = 2, chr3 = 3 and 2 more"
        ]

    def test_logs_nothing_if_they_are_the_same(self, caplog):
        caplog.set_level(logging.INFO)
        Contigs(["1", "2"], "a.fa").match(["1", "3"], "b.bed")
        Contigs(["chr1"], "a.fa").match(["1"], "b.bed", log=False)
        assert not caplog.messages

    def test_refuses_two_spellings_of_one_contig(self):
        with pytest.raises(TfbindError, match=r"b\.bed: contigs '1' and 'chr1' are both '1' in a\.fa"):
            Contigs(["1"], "a.fa").match(["1", "chr1"], "b.bed")

    def test_refuses_to_choose_between_two(self):
        with pytest.raises(TfbindError, match=r"a\.fa: contig 'Chr1' could be any of '1', 'chr1'"):
            Contigs(["1", "chr1"], "a.fa").match(["Chr1"], "b.bed")

    @pytest.mark.parametrize(
        ("names", "here", "message"),
        [
            (["1"], ["2"], r"b\.bed: 1 of 1 contigs \('1'\) are not in a\.fa \(its contigs: '2'\)"),
            (["1", "2"], [""], "2 of 2 contigs"),
            (["1"], [], r"are not in a\.fa \(its contigs: none\)"),
        ],
    )
    def test_refuses_none_in_common(self, names, here, message):
        with pytest.raises(TfbindError, match=message):
            Contigs(here, "a.fa").match(names, "b.bed")

    def test_may_need_all(self):
        with pytest.raises(TfbindError, match=r"1 of 2 contigs \('7'\) are not in a\.fa"):
            Contigs(["1", "2"], "a.fa").match(["1", "7"], "b.bed", need_all=True)
        assert Contigs(["1", "2"], "a.fa").match(["1", "7"], "b.bed") == {"1": "1"}


def test_some_names_are_enough():
    assert some_names("abcd") == "'a', 'b', 'c', ..."
    assert renamed_note({"1": "1", "x": ""}, "b", "a") == ""


YEAST = [
    "I",
    "II",
    "III",
    "IV",
    "V",
    "VI",
    "VII",
    "VIII",
    "IX",
    "X",
    "XI",
    "XII",
    "XIII",
    "XIV",
    "XV",
    "XVI",
    "Mito",
]
WORM = ["I", "II", "III", "IV", "V", "X", "MtDNA"]
FLY = ["2L", "2R", "3L", "3R", "4", "X", "Y"]


class TestRomanNumerals:
    """Chromosomes of yeast by number, and X, which is a tenth chromosome or a sex chromosome."""

    def test_all_of_yeast(self, caplog):
        caplog.set_level(logging.INFO)
        names = [f"chr{i}" for i in range(1, 17)]
        assert Contigs(YEAST, "R64.fa").match([*names, "chrM"], "reb1.bed") == dict(
            zip([*names, "chrM"], YEAST, strict=True)
        )
        assert caplog.messages == [
            "contigs of reb1.bed and R64.fa match under different names:"
            " chr1 = I, chr2 = II, chr3 = III, chr10 = X and 13 more"
        ]

    def test_the_other_way_round(self):
        numbers = Contigs([f"chr{i}" for i in range(1, 17)], "a.fa")
        assert numbers.match(["chrIV", "chrV", "chrVIII", "chrX"], "b.bed") == {
            "chrIV": "chr4",
            "chrV": "chr5",
            "chrVIII": "chr8",
            "chrX": "chr10",
        }

    def test_prefixes_alone_are_as_before(self):
        assert Contigs(YEAST, "R64.fa").match(["chrIV", "chrX"], "b.bed") == {"chrIV": "IV", "chrX": "X"}

    def test_a_sex_chromosome_is_no_ten(self):
        numbers = Contigs([str(i) for i in range(1, 17)], "a.fa")
        # few names do not say what V and X are, and a worm has an X beside five numerals
        assert numbers.match(["IV", "X"], "b.bed") == {"IV": "4"}
        assert numbers.match(WORM, "b.bed") == {"I": "1", "II": "2", "III": "3", "IV": "4", "V": "5"}
        for name in ("V", "X"):
            with pytest.raises(TfbindError, match=rf"1 of 1 contigs \('{name}'\) are not in a\.fa"):
                numbers.match([name], "b.bed")

    def test_worms_match_but_for_their_names(self):
        here = Contigs(["chr1", "chr2", "chr3", "chr4", "chr5", "chrX", "chrM"], "worm.fa")
        assert here.match(WORM, "b.bed") == dict(zip(WORM, here.names, strict=True))

    @pytest.mark.parametrize(("names", "here"), [(FLY, YEAST), (YEAST, FLY), (["4", "chrX"], YEAST)])
    def test_x_of_a_fly_is_not_the_tenth_of_yeast(self, names, here):
        message = "X is the tenth chromosome in one of them, and seems to be a sex chromosome in the other"
        with pytest.raises(TfbindError, match=message):
            Contigs(here, "a.fa").match(names, "b.bed")

    def test_names_one_at_a_time(self):
        yeast, numbers = Contigs(YEAST, "a.fa"), Contigs([str(i) for i in range(1, 17)], "b.fa")
        assert [yeast.find(name) for name in ("chr4", "10", "X", "17", "MT")] == [
            "IV",
            "X",
            "X",
            None,
            "Mito",
        ]
        assert [numbers.find(name) for name in ("IV", "V", "X")] == ["4", None, None]
        numbers.expect(YEAST)
        assert [numbers.find(name) for name in ("IV", "V", "X")] == ["4", "5", "10"]
        yeast.expect(FLY)
        assert [yeast.find(name) for name in ("4", "X")] == [None, None]
        yeast.expect([])
        assert yeast.find("4") == "IV"

    def test_nearer_names_come_first(self):
        assert Contigs(["4", "IV"], "a.fa").match(["chr4", "chrIV"], "b.bed") == {"chr4": "4", "chrIV": "IV"}

    def test_refuses_two_that_match_one(self):
        with pytest.raises(TfbindError, match=r"b\.bed: contigs 'chr4' and 'IV' are both 'IV' in a\.fa"):
            Contigs(YEAST, "a.fa").match(["chr4", "IV"], "b.bed")
        with pytest.raises(TfbindError, match=r"a\.fa: contig 'Mito' could be any of 'chrM', 'MT'"):
            Contigs(["chrM", "MT"], "a.fa").match(["Mito"], "b.bed")

    @pytest.mark.parametrize("name", ["IIII", "VV", "IC", "L", "XXXX", "iv", ""])
    def test_what_is_no_numeral(self, name):
        assert Contigs([str(i) for i in range(1, 60)], "a.fa").find(name) is None


@pytest.mark.parametrize("name", ["chrM", "M", "MT", "chrMT", "Mito", "mitochondrion_genome", "MtDNA"])
@pytest.mark.parametrize("here", ["chrM", "MT", "Mito", "MtDNA"])
def test_mitochondria(name, here):
    assert Contigs(["1", here], "a.fa").match([name], "b.bed") == {name: here}


def test_m_among_letters_is_no_mitochondrion():
    assert Contigs("KLMN", "a.fa").find("MT") is None
    assert one_spelling(["K", "L", "M", "MT"]) == {"K": "K", "L": "L", "M": "M", "MT": "MT"}


def test_one_spelling():
    names = ["chr4", "IV", "4", "chrX", "X", "chrM", "Mito", "VIII", "10"]
    assert one_spelling(names) == {
        **dict.fromkeys(["chr4", "IV", "4"], "chr4"),
        **dict.fromkeys(["chrX", "X", "10"], "chrX"),
        **dict.fromkeys(["chrM", "Mito"], "chrM"),
        "VIII": "VIII",
    }
