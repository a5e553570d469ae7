"""Sheets and configs from strangers: one clear line, or they work as expected."""

import importlib
import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from snakemake.exceptions import WorkflowError

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "workflow"))
configuration = importlib.import_module("configuration")

HEADER = "name\tpositives\n"
LOOP = "Too many levels of symbolic links: loop.fa"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reads.fa").write_text(">a\nACGT\n")
    return tmp_path


def read(data, kind="datasets"):
    Path("sheet.tsv").write_bytes(data if isinstance(data, bytes) else data.encode())
    return configuration.read_sheet("sheet.tsv", kind)


class TestSheetIsRead:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_as_a_spreadsheet_saves_it(self, folder, encoding, end):
        text = f"{HEADER}a\treads.fa\n\t\nb\treads.fa\t\t\n".replace("\n", end)
        assert read(text.encode(encoding)) == {"a": {"positives": "reads.fa"}, "b": {"positives": "reads.fa"}}

    @pytest.mark.parametrize(
        "name",
        [
            "-n.fa",
            "my reads' $(touch x).fa",
            "a;b&c|d.fa",
            '"quoted".fa',
            "caf\xe9\u202f.fa",
            "*.fa",
        ],
    )
    def test_a_path_is_what_it_is(self, folder, name):
        (folder / name).write_text(">a\nACGT\n")
        assert read(f"{HEADER}a\t{name}\n") == {"a": {"positives": name}}


class TestSheetIsRefused:
    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (
                f"{HEADER}a\tcaf\xe9.fa\n".encode("latin-1"),
                "sheet.tsv: line 2: not UTF-8 text, expected a sheet saved",
            ),
            (
                "name;positives\na;reads.fa\n",
                "sheet.tsv: line 1: no such column: 'name;positives', expected name, pos",
            ),
            ("name,positives\n", "sheet.tsv: line 1: no such column: 'name,positives', expected name, pos"),
            (b"PK\x03\x04\x14", "sheet.tsv: line 1: no such column: 'PK"),
            (b"", "sheet.tsv: line 1: column name is missing"),
            (
                HEADER + "a\t" + "x" * 300 + ".fa\n",
                f"sheet.tsv: line 2: positives: File name too long: {'x' * 60}...",
            ),
            (
                HEADER + "n" * 101 + "\treads.fa\n",
                f"sheet.tsv: line 2: name: found '{'n' * 59}..., expected a name of let",
            ),
            (
                HEADER + "a\tre\x00ads.fa\n",
                "sheet.tsv: line 2: positives: found 're\\x00ads.fa', expected no control",
            ),
            (
                HEADER + "a\tre\x1b[2Jads.fa\n",
                "sheet.tsv: line 2: positives: found 're\\x1b[2Jads.fa', expected no con",
            ),
            (
                HEADER + "a/../../b\treads.fa\n",
                "sheet.tsv: line 2: name: found 'a/../../b', expected a name of letters",
            ),
            (
                HEADER + "a\t{x}.fa\n",
                "sheet.tsv: line 2: positives: found '{x}.fa', expected no braces, which Snake",
            ),
            (HEADER + "a\tloop.fa\n", f"sheet.tsv: line 2: positives: {LOOP}"),
            (HEADER + "a\t.\n", "sheet.tsv: line 2: positives: is a folder, expected a file: ."),
            (HEADER + "a\treads.fa/x\n", "sheet.tsv: line 2: positives: no such file: reads.fa/x"),
            (
                HEADER + "a\t/dev/null\n",
                "sheet.tsv: line 2: positives: is a pipe or a device, expected a file: /dev/",
            ),
            (
                HEADER + "a\t" + "x" * 200_000 + "\n",
                "sheet.tsv: line 2: not a table of tab-separated cells (",
            ),
        ],
    )
    def test_in_one_line(self, folder, data, message):
        (folder / "loop.fa").symlink_to("loop.fa")
        with pytest.raises(WorkflowError) as error:
            read(data)
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 250

    def test_that_is_a_folder(self, folder):
        config = yaml.safe_load((ROOT / "config/config.yaml").read_text()) | {
            "datasets": ".",
            "populations": None,
        }
        with pytest.raises(WorkflowError, match=r"^config: datasets: is a folder, expected a file: \.$"):
            configuration.read_config(config)


class TestConfigIsRefused:
    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            (
                {"models": {1: {"architecture": "bigru"}}},
                "config: models: found 1, expected a name of letters",
            ),
            (
                {"models": {None: {"architecture": "bigru"}}},
                "config: models: found None, expected a name of letters",
            ),
            (
                {"models": {"m\n": {"architecture": "bigru"}}},
                "config: models: found 'm\\n', expected a name of letters",
            ),
            (
                {"models": {"m" * 101: None}},
                f"config: models: found '{'m' * 59}..., expected a name of letters",
            ),
            (
                {"encode": {"exclude": "a\nb"}},
                "config: encode.exclude: found 'a\\nb', expected no control character",
            ),
            ({"encode": [[[[[]]]]]}, "config: encode: found [[[[[]]]]], expected settings of tfbind encode"),
            (
                {"encode": {"length": float("nan")}},
                "config: encode.length: found nan, expected a whole number",
            ),
            ({"encode": {"x" * 5000: 1}}, f"config: encode.{'x' * 53}...: no such key, expected length, "),
            (
                {"encode": {"length": "9" * 5000}},
                f"config: encode.length: found '{'9' * 59}..., expected a whole numb",
            ),
            ({"datasets": "a\nb"}, "config: datasets: found 'a\\nb', expected no control character"),
            (
                {"encode": {"split_by": "contigs", "test_contigs": ["chr1"]}},
                "config: encode: found split_by and test_contigs, expected one of them or neither: both say how",
            ),
            (
                {"encode": {"validation_contigs": ["chr1"]}},
                "config: encode: found validation_contigs without test_contigs, expected test_contigs beside them",
            ),
        ],
    )
    def test_in_one_line(self, folder, changed, message):
        (folder / "sheet.tsv").write_text(HEADER + "a\treads.fa\n")
        config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
        with pytest.raises(WorkflowError) as error:
            configuration.read_config(config | {"datasets": "sheet.tsv", "populations": None} | changed)
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize("locked", [".", "results"])
    def test_a_folder_that_cannot_be_written_to(self, folder, monkeypatch, locked):
        (folder / "results").mkdir()
        # root may write anywhere
        monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != Path(locked))
        place = (folder / locked).absolute()
        with pytest.raises(WorkflowError, match=f"^{re.escape(str(place))}: nothing can be written there"):
            configuration.read_config({})

    def test_a_candidate_whose_files_could_have_no_name(self):
        settings = {"architecture": ["bigru", "bilstm"], "learning_rate": [0.1 + n / 1e15 for n in range(2)]}
        many = {f"units{'x' * 180}": [1, 2]}
        with pytest.raises(WorkflowError, match=r"make a name of 2.. characters, expected at most 200"):
            configuration.check_model("config: models.m", settings | many, {})


class TestPartsInATable:
    """What a column split states is known before any job."""

    CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())

    def read(self, table, **encode):
        configuration.test_in_table.cache_clear()
        Path("sheet.tsv").write_text("name\ttable\na\ta.csv\n")
        Path("a.csv").write_text(table)
        changed = {"datasets": "sheet.tsv", "populations": None, "encode": encode}
        row = configuration.read_config(self.CONFIG | changed)[0]["a"]
        return configuration.states_parts(row), configuration.has_test_part({"encode": encode}, row)

    @pytest.mark.parametrize(
        ("table", "encode", "expected"),
        [
            ("sequence,label\nACGT,1\n", {}, (False, True)),
            ("sequence,label,split\nACGT,1,\n", {}, (False, True)),
            ("sequence,label,split\nACGT,1,train\nA,0,Testing\n", {"split": [0.9, 0.1, 0]}, (True, True)),
        ],
    )
    def test_count_for_more_than_the_config(self, folder, table, encode, expected):
        assert self.read(table, **encode) == expected

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (
                "sequence,label,split\nACGT,1,train\n",
                "sheet.tsv: found no test part of any data set and no folds,",
            ),
            (
                "sequence,label,split\nACGT,1,tset\n",
                "a.csv: line 2: column 'split': found 'tset', expected train",
            ),
            (
                "seq,label\nACGT,1\n",
                "a.csv: line 1: found the columns 'seq', 'label', expected a header line",
            ),
        ],
    )
    def test_mistake_in_one_line(self, folder, table, message):
        with pytest.raises(WorkflowError, match=f"^{re.escape(message)}"):
            self.read(table)


class TestFlags:
    def test_what_begins_with_a_dash_stays_a_value(self):
        settings = {
            "positives": "-n.fa",
            "peaks": "a b.bed",
            "test_contigs": ["-x", 8],
            "k": None,
            "strict": True,
        }
        assert configuration.as_flags(settings) == [
            *("--positives=-n.fa", "--peaks", "a b.bed", "--test-contigs=-x,8", "--strict"),
        ]


def test_thousands_of_rows_are_read_in_time_by_their_number(folder):
    """The schema is read once: Snakemake's own `validate` reads it for each row."""
    configuration.schema.cache_clear()
    rows = read(HEADER + "".join(f"d{n}\treads.fa\n" for n in range(3000)))
    assert len(rows) == 3000
    assert configuration.schema.cache_info().misses == 1


def test_nothing_of_a_path_reaches_the_shell_unquoted(workflow):
    name = "-my reads' $(touch pwned) `touch pwned` \";touch pwned; *.fa"
    records = "".join(f">r{n}\n{'ACGTTGCAAT' * 3}\n" for n in range(30))
    (workflow.folder / name).write_text(records)
    workflow.write_sheet(f"-odd\t{name}\n")
    done = workflow.run("--cores", "1", "results/tensors/-odd.h5")
    assert done.returncode == 0, done.stdout
    assert (workflow.folder / "results/tensors/-odd.h5").is_file()
    assert not list(workflow.folder.rglob("pwned"))
    unknown = workflow.message("results/tensors/another.h5")
    assert "MissingRuleException" in unknown
