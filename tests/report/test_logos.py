import numpy as np

from tfbind.report.logos import information, motif_logo


def test_information_is_in_bits():
    # nearly two bits of a base that is always there, none of four that are as common
    heights = information(np.array([[1e6, 0, 0, 0], [25, 25, 25, 25]]))
    np.testing.assert_allclose(heights.sum(axis=1), [2, 0], atol=1e-3)


def test_the_same_motif_gives_the_same_bytes(tmp_path):
    rng = np.random.default_rng(0)
    counts, contributions = rng.random((6, 4)) * 50, rng.normal(size=(6, 4))
    for name in "ab":
        motif_logo(tmp_path / name, contributions, counts, counts[1:], 1, "GABPA & $x$ <b>")
    text = (tmp_path / "a").read_text()
    assert text == (tmp_path / "b").read_text()
    assert "GABPA &amp; $x$ &lt;b&gt; (bits)" in text
    # both strands, every letter in two rows and the matrix's in a third
    letters = sum((heights != 0).sum() for heights in (contributions, counts, counts[1:]))
    assert text.count("<path") >= 2 * letters
