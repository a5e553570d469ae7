import logging

import pytest

from tfbind.contigs import Contigs, renamed_note, some_names
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
