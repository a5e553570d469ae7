import json
import re

import pytest

from tfbind.binding.encoding.exclusion import EXCLUDED_RECORDS, without_excluded
from tfbind.binding.encoding.from_fasta import encode_fasta
from tfbind.binding.encoding.from_labels import encode_labelled
from tfbind.binding.encoding.sources import fasta_source
from tfbind.binding.options import EncodeOptions
from tfbind.errors import TfbindError
from tfbind.tensors import open_tensors

LENGTH = 20


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name, *headers):
        """Write records that differ from one another, and so do those of files with other names."""
        first = int.from_bytes(name.encode(), "big") % 4**9
        letters = [
            "".join("ACGT"[(first + n * 7919) * 31 // 4**i % 4] for i in range(LENGTH))
            for n, _ in enumerate(headers)
        ]
        path = tmp_path / name
        path.write_text("".join(f">{h}\n{s}\n" for h, s in zip(headers, letters, strict=True)))
        return path

    return write


@pytest.fixture
def exclude(tmp_path):
    def exclude(text):
        (tmp_path / "x.bed").write_text(text)
        return tmp_path / "x.bed"

    return exclude


def names(source):
    return [name for batch in source.batches() for name in batch.names]


class TestWithoutExcluded:
    def test_records_that_share_a_base_are_left_out_in_every_style(self, write, exclude):
        given = fasta_source(
            write(
                "p.fa",
                "a::chr1:80-100(+)",  # ends where the region begins
                "b::chr1:81-101(+)",
                "hg38_ct_x_0 range=chr1:200-219 strand=+",  # 199 to 219
                "hg38_ct_x_1 range=chr1:201-220 strand=+",  # 200 to 220
                "ens chromosome:GRCh38:2:5:24:1",
                "chr3:150-170",
            ),
            LENGTH,
            1,
        )
        regions = exclude("1\t100\t200\nchr2\t0\t5\nchr9\t0\t100\n")
        (source,), n = without_excluded([given], regions)
        assert names(source) == ["a::chr1:80-100(+)", "hg38_ct_x_1", "chr3:150-170"]
        assert names(source) == names(source)
        assert n == 3
        (batch,) = source.batches()
        assert batch.intervals == [("chr1", 80, 100), ("chr1", 200, 220), ("chr3", 150, 170)]
        before = next(given.batches())
        assert (batch.codes == before.codes[[0, 3, 5]]).all()
        assert batch.valid_length.tolist() == [LENGTH] * 3

    def test_numerals_of_the_headers(self, write, exclude):
        source = fasta_source(write("p.fa", "chrIV:100-120", "chrV:100-120", "chrV:300-320"), LENGTH, 1)
        (source,), n = without_excluded([source], exclude("4\t0\t50\n5\t0\t200\n"))
        assert names(source) == ["chrIV:100-120", "chrV:300-320"]
        assert n == 1

    def test_records_without_coordinates_are_kept_and_counted(self, write, exclude, caplog):
        source = fasta_source(write("p.fa", "first", "chr1:100-120", "third", "chr1:500-520"), LENGTH, 1)
        (source,), n = without_excluded([source], exclude("chr1\t0\t200\n"))
        assert (names(source), n) == (["first", "third", "chr1:500-520"], 1)
        assert "p.fa: 2 headers have no coordinates" in caplog.text

    def test_a_file_without_regions_takes_nothing(self, write, exclude):
        source = fasta_source(write("p.fa", "chr1:100-120"), LENGTH, 1)
        (source,), n = without_excluded([source], exclude(""))
        assert (names(source), n) == (["chr1:100-120"], 0)

    @pytest.mark.parametrize(
        ("headers", "text", "message"),
        [
            (("a", "b"), "chr1\t0\t9\n", "x.bed: no header of {} has coordinates, such as chr1:1000-1101"),
            (("chr1:0-20",), "chr2\t0\t9\n", "headers of {}: 1 of 1 contigs ('chr1') are not in"),
            (("chr1:0-20", "chr1:40-60"), "1\t0\t99\n", "{}: all 2 records touch "),
        ],
    )
    def test_refused(self, write, exclude, headers, text, message):
        path = write("p.fa", *headers)
        with pytest.raises(TfbindError, match=re.escape(message.format(path))):
            without_excluded([fasta_source(path, LENGTH, 1)], exclude(text))


class TestEncode:
    POSITIVES = tuple(f"chr1:{at}-{at + 20}" for at in range(0, 4000, 100))
    NEGATIVES = tuple(f"chr1:{at}-{at + 20}" for at in range(4000, 8000, 100))
    # 10 positives, and 5 negatives
    REGIONS = "1\t0\t1000\n1\t4000\t4500\n"

    def encode(self, write, exclude, negatives, **options):
        positives = write("p.fa", *self.POSITIVES)
        given = write("n.fa", *self.NEGATIVES) if negatives else None
        values = EncodeOptions(length=LENGTH, exclude=exclude(self.REGIONS), **options)
        output = positives.with_name("o.h5")
        encode_fasta(output, positives, given, "A", values)
        with open_tensors(output) as tensors:
            ids, y = list(tensors.text("id")), tensors.y[:, 0].tolist()
            sources = [row["name"] for row in json.loads(tensors.attributes["source"])]
        counts = json.loads(output.with_suffix(".summary.json").read_text())["counts"]
        return ids, y, sources, counts

    def test_both_lose_records(self, write, exclude):
        ids, y, sources, counts = self.encode(write, exclude, True)
        assert set(ids) == {*self.POSITIVES[10:], *self.NEGATIVES[5:]}
        assert (y.count(1), y.count(0)) == (30, 35)
        assert sources == ["p.fa", "n.fa", "x.bed"]
        assert counts[EXCLUDED_RECORDS] == 15

    def test_positives_are_kept_if_asked_for(self, write, exclude):
        ids, _, _, counts = self.encode(write, exclude, True, keep_excluded_positives=True)
        assert set(ids) == {*self.POSITIVES, *self.NEGATIVES[5:]}
        assert counts[EXCLUDED_RECORDS] == 5

    def test_shuffles_are_made_of_what_is_left(self, write, exclude):
        ids, y, _, counts = self.encode(write, exclude, False)
        assert y.count(1) == 30
        assert not any(name.startswith(self.POSITIVES[:10]) for name in ids)
        assert counts[EXCLUDED_RECORDS] == 10

    def test_labelled(self, write, exclude):
        fasta = write("p.fa", *self.POSITIVES)
        labels = fasta.with_name("l.tsv")
        labels.write_text("id\tA\n" + "".join(f"{name}\t{n % 2}\n" for n, name in enumerate(self.POSITIVES)))
        output = fasta.with_name("o.h5")
        encode_labelled(output, fasta, labels, EncodeOptions(length=LENGTH, exclude=exclude(self.REGIONS)))
        with open_tensors(output) as tensors:
            found = dict(zip(tensors.text("id"), tensors.y[:, 0].tolist(), strict=True))
        assert found == {name: n % 2 for n, name in enumerate(self.POSITIVES) if n >= 10}
