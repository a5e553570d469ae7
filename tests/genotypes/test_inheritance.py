import pytest

from tfbind.genotypes.inheritance import SEX_LINKED, UNIPARENTAL, inheritance


@pytest.mark.parametrize(
    ("contig", "others", "expected"),
    [
        ("X", (), SEX_LINKED),
        ("chrX", ("chr1", "chr2"), SEX_LINKED),
        ("X", ("I", "II", "III", "IV", "V"), SEX_LINKED),
        ("X", ("VIII", "IX", "X"), ""),
        ("chrX", ("chrIX", "chrX"), ""),
        ("Z", ("1",), SEX_LINKED),
        ("chrY", (), UNIPARENTAL),
        ("MT", (), UNIPARENTAL),
        ("ChrC", (), UNIPARENTAL),
        ("C", (), ""),
        ("20", (), ""),
    ],
)
def test_by_name(contig, others, expected):
    assert inheritance(contig, others) == expected
