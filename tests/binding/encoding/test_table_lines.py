import gzip
import subprocess
import sys
from pathlib import Path

import pytest

import tfbind
from tfbind.binding.encoding.table_lines import states_test
from tfbind.errors import TfbindError


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("sequence,label\nACGT,1\n", None),
        ("sequence,label,split\nACGT,1,\nAC,0,\n", None),
        ("sequence,label,split\nACGT,1,train\nAC,0,valid\n", False),
        ("\nSplit;sequence;label\r\ntrain;ACGT;1\r\nTEST;AC;0\r\n", True),
        # lines after the first test record are not read
        ("split\tsequence\tlabel\ntesting\tACGT\t1\nnonsense\n", True),
    ],
)
def test_whether_a_table_has_a_test_record(table, expected, tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(table.encode()))
    assert states_test(path) is expected


def test_a_word_that_is_no_part_is_named_with_its_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("sequence,label,split\nACGT,1,train\nACGT,1,holdout\n")
    with pytest.raises(TfbindError, match=r"t\.csv: line 3: column 'split': found 'holdout', expected train"):
        states_test(path)


def test_the_workflow_can_import_it_beside_snakemake_alone():
    """Without site-packages."""
    command = [sys.executable, "-S", "-c", "import tfbind.binding.encoding.table_lines"]
    subprocess.run(command, check=True, env={"PYTHONPATH": str(Path(tfbind.__file__).parents[1])})
