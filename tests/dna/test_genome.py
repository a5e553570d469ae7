import gzip
import logging
import os

import pysam
import pytest

from tfbind import process
from tfbind.dna import genome as module
from tfbind.dna.genome import Genome
from tfbind.errors import TfbindError
from tfbind.files import BGZF_END

FASTA = b">chr1 first\nACGTNacgta\nCCRYK\n>chr2\nGGGG\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "tfbind"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "genomes"
    folder.mkdir()
    return folder


@pytest.fixture
def read_only(folder, monkeypatch):
    """The genomes' folder cannot be written (file modes would not stop root)."""
    can_write = module._can_write
    monkeypatch.setattr(module, "_can_write", lambda path: path != folder and can_write(path))
    return folder


def bgzf(path, content=FASTA):
    with pysam.BGZFile(str(path), "wb") as handle:
        handle.write(content)
    return path


def plain(path, content=FASTA):
    path.write_bytes(content)
    return path


def gzipped(path, content=FASTA):
    path.write_bytes(gzip.compress(content))
    return path


class TestReading:
    @pytest.mark.parametrize("write", [plain, bgzf, gzipped])
    @pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
    def test_sequences_as_stored(self, folder, write, ends):
        path = write(folder / "g.fa", FASTA.replace(b"\n", ends))
        for _ in range(2):  # without an index, then with it
            with Genome(path) as genome:
                assert genome.contigs == {"chr1": 15, "chr2": 4}
                assert genome.fetch("chr1", 0, 15) == "ACGTNacgtaCCRYK"
                assert genome.fetch("chr1", 8, 12) == "taCC"
                assert genome.fetch("chr2", 1, 1) == ""

    @pytest.mark.parametrize(("contig", "start", "end"), [("chr2", 2, 5), ("chr2", -1, 2), ("chr3", 0, 1)])
    def test_outside_is_an_error(self, folder, contig, start, end):
        with Genome(plain(folder / "g.fa")) as genome, pytest.raises(TfbindError, match=r"g\.fa: no chr"):
            genome.fetch(contig, start, end)

    def test_index_of_another_file(self, folder):
        path = plain(folder / "g.fa")
        plain(folder / "g.fa.fai", b"chr1\t5000\t12\t10\t11\n")
        with Genome(path) as genome, pytest.raises(TfbindError, match="the index does not fit"):
            genome.fetch("chr1", 0, 4000)


class TestIndex:
    @pytest.mark.parametrize(
        ("write", "made"), [(plain, ["g.fa", "g.fa.fai"]), (bgzf, ["g.fa", "g.fa.fai", "g.fa.gzi"])]
    )
    def test_made_beside_the_file(self, folder, write, made, cache):
        with Genome(write(folder / "g.fa")):
            assert sorted(os.listdir(folder)) == made
            assert not cache.exists()

    @pytest.mark.parametrize(("write", "n"), [(plain, 1), (bgzf, 2)])
    def test_made_in_the_cache_where_the_folder_is_read_only(self, read_only, write, n, cache, caplog):
        caplog.set_level(logging.INFO)
        path = write(read_only / "g.fa")
        for _ in range(2):
            with Genome(path) as genome:
                assert genome.fetch("chr1", 8, 12) == "taCC"
        assert os.listdir(read_only) == ["g.fa"]
        assert len(os.listdir(cache)) == n
        assert caplog.messages == [f"indexing {path}"]

    def test_older_than_the_file_is_made_again(self, folder):
        path = plain(folder / "g.fa")
        with Genome(path):
            pass
        plain(path, b">other\nAC\n")
        os.utime(folder / "g.fa.fai", (1e9, 1e9))
        with Genome(path) as genome:
            assert genome.contigs == {"other": 2}

    def test_stale_in_a_read_only_folder_is_left_and_replaced_in_the_cache(self, read_only):
        path = plain(read_only / "g.fa")
        stale = plain(read_only / "g.fa.fai", b"stale\t4\t7\t4\t5\n")
        os.utime(stale, (1e9, 1e9))
        with Genome(path) as genome:
            assert list(genome.contigs) == ["chr1", "chr2"]
        assert stale.read_bytes().startswith(b"stale")

    def test_changed_genome_gets_a_new_index_in_the_cache(self, read_only):
        path = plain(read_only / "g.fa")
        with Genome(path):
            pass
        plain(path, b">other\nACGT\n")
        with Genome(path) as genome:
            assert genome.contigs == {"other": 4}

    @pytest.mark.parametrize("content", [b"", b"nonsense\n"])
    def test_damaged_index_is_named(self, folder, content, capfd):
        path = plain(folder / "g.fa")
        plain(folder / "g.fa.fai", content)
        with (
            process.owned(),
            pytest.raises(TfbindError, match=r"g\.fa\.fai: is no FASTA index, delete it"),
        ):
            Genome(path)
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize(("write", "advice"), [(plain, "samtools faidx"), (gzipped, "bgzip")])
    def test_nowhere_to_write_says_how_to_get_on(self, read_only, write, advice, monkeypatch, tmp_path):
        monkeypatch.setenv("XDG_CACHE_HOME", str(plain(tmp_path / "file")))
        with pytest.raises(TfbindError, match=rf"g\.fa: .*{advice}.*set XDG_CACHE_HOME"):
            Genome(write(read_only / "g.fa"))


class TestPlainGzip:
    def test_unpacked_once(self, folder, cache, caplog):
        caplog.set_level(logging.INFO)
        path = gzipped(folder / "g.fa.gz")
        for _ in range(2):
            with Genome(path):
                pass
        assert os.listdir(folder) == ["g.fa.gz"]
        assert sorted(name.rsplit(".", 1)[1] for name in os.listdir(cache)) == ["fa", "fai"]
        assert [message for message in caplog.messages if "unpacking" in message] == [caplog.messages[0]]

    def test_cut_off_leaves_nothing(self, folder, cache):
        content = gzip.compress(FASTA)
        with pytest.raises(TfbindError, match=r"g\.fa\.gz: the gzip data are damaged or cut off"):
            Genome(plain(folder / "g.fa.gz", content[:-10]))
        assert os.listdir(cache) == []


class TestRefused:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"", "is empty"),
            (b"\n\n", "is empty"),
            (b"hello\nworld\n", r"line 1: found 'hello', expected '>'"),
            (b"@r\nACGT\n+\nIIII\n", r"line 1: found '@r', expected '>'"),
            (b">a\nACGT\nAC\nACGT\n", r"line 4: different line length: found 4 bases in contig 'a'"),
            (b">a\nAC\nACGT\n", r"line 3: different line length: found 4 bases .* expected 2"),
            (b">a\nACGT\n\nACGT\n", r"line 4: different line length"),
            # an index would place the bases behind these elsewhere
            (b">a\nACGT\nAC T\nAC\n", r"line 3: found ' ' in the sequence of contig 'a', expected bases"),
            (b">a\nACGT\rAC\n>b\nA\n", r"line 2: found a CR in the line, expected LF or CRLF as line ends"),
            (b">a\rACGT\nGG\n", r"line 1: found a CR in the line"),
            (b">a\nACGT\n> b\nA\n", r"line 3: found '>' without a name behind it"),
            (b">a\nACGT\n>b\n  \n\n", r"contig 'b' has no sequence"),
            (b">a\x00b\nACGT\n", r"line 1: the contig's name 'a\\x00b' cannot be printed"),
            (b">a\nAC\x00T\n", r"line 2: found '\\x00' in the sequence of contig 'a'"),
            ("a\nAC".join((">", "é\n")).encode(), r"line 2: found 'é' in the sequence of contig 'a'"),
            (b">a\nAC\n>b\nA\n>a x\nGG\n", r"line 5: contig 'a' comes twice, first in line 1"),
            (b">a\n>b\nAC\n", r"line 1: contig 'a' has no sequence"),
            (b">a\nAC\n>b\n", r"contig 'b' has no sequence"),
            (b">\nAC\n", r"line 1: found '>' without a name"),
            (b">a\nACGT\r\nACGT\nACGT\n", "cannot be indexed"),
            (bytes(range(256)), "not a text file"),
        ],
    )
    @pytest.mark.parametrize("write", [plain, bgzf, gzipped])
    def test_one_line_that_names_the_file(self, folder, content, message, write, capfd):
        path = write(folder / "bad.fa", content)
        with process.owned(), pytest.raises(TfbindError, match=rf"bad\.fa: .*{message}"):
            Genome(path)
        assert os.listdir(folder) == ["bad.fa"]
        assert capfd.readouterr().err == ""

    def test_bgzf_cut_between_blocks(self, folder):
        content = bgzf(folder / "g.fa.gz").read_bytes()
        with pytest.raises(TfbindError, match=r"g\.fa\.gz: has no BGZF end block"):
            Genome(plain(folder / "g.fa.gz", content[: -len(BGZF_END)]))

    def test_bgzf_cut_between_blocks_that_has_an_index(self, folder):
        path = bgzf(folder / "g.fa.gz")
        Genome(path)
        stamp = (folder / "g.fa.gz.fai").stat().st_mtime
        path.write_bytes(path.read_bytes()[: -len(BGZF_END)])
        os.utime(path, (stamp - 10, stamp - 10))
        with pytest.raises(TfbindError, match=r"g\.fa\.gz: has no BGZF end block"):
            Genome(path)

    def test_missing_and_folder(self, folder):
        with pytest.raises(TfbindError, match=r"none\.fa: no such file"):
            Genome(folder / "none.fa")
        with pytest.raises(TfbindError, match="is a folder"):
            Genome(folder)


class TestContigNames:
    @pytest.fixture
    def genome(self, folder):
        content = b"".join(b">%s\nACGT\n" % name for name in (b"1", b"2", b"3", b"X", b"chrM"))
        with Genome(plain(folder / "hg19.fa", content)) as genome:
            yield genome

    def test_are_found_in_either_spelling(self, genome):
        assert genome.match_contigs(["1", "chrX", "M"], "peaks.bed") == {"1": "1", "chrX": "X", "M": "chrM"}
        assert [genome.find_contig(name) for name in ("chr2", "2", "chr4")] == ["2", "2", None]

    def test_numerals_that_the_other_names_explain(self, genome):
        assert genome.find_contig("III") == "3"
        assert genome.match_contigs(["I"], "a.vcf", need_all=False, among=["I", "II", "III"]) == {"I": "1"}
        assert genome.find_contig("I") is None
        genome.expect_contigs(["I", "II", "III"])
        assert [genome.find_contig(name) for name in ("I", "Mito")] == ["1", "chrM"]

    def test_some_missing(self, genome):
        message = (
            r"^exclude\.bed: 1 of 2 contigs \('scaffold_7'\) are not in \S*hg19\.fa"
            r" \(its contigs: '1', '2', '3', \.\.\.\)$"
        )
        with pytest.raises(TfbindError, match=message):
            genome.match_contigs(["1", "scaffold_7"], "exclude.bed")
        genome.match_contigs(["1", "scaffold_7"], "exclude.bed", need_all=False)
        with pytest.raises(TfbindError, match="scaffold_7"):
            genome.match_contigs(["scaffold_7"], "exclude.bed", need_all=False)
