import gzip

import pytest

from tfbind.errors import TfbindError
from tfbind.yaml_files import DEEPEST, read_yaml_text


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_text_is_given_as_it_is(tmp_path):
    text = "a: [1, {b: x}]\n# comment\nc: &name 3\n"
    assert read_yaml_text(write(tmp_path / "a.yaml", text)) == text
    packed = tmp_path / "a.yaml.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_yaml_text(packed) == text


def test_as_deep_as_allowed(tmp_path):
    deep = "[" * DEEPEST + "]" * DEEPEST
    assert read_yaml_text(write(tmp_path / "a.yaml", deep)) == deep
    with pytest.raises(TfbindError, match=r"a\.yaml: line 1: is nested deeper than 50 levels"):
        read_yaml_text(write(tmp_path / "a.yaml", f"[{deep}]"))


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_the_parser_is_stopped_before_its_stack_is_full(tmp_path, opening):
    with pytest.raises(TfbindError, match="nested deeper than"):
        read_yaml_text(write(tmp_path / "a.yaml", opening * 100_000))


def test_an_alias_is_refused(tmp_path):
    with pytest.raises(
        TfbindError, match=r"a\.yaml: line 2: found the alias \*x, expected every value written out"
    ):
        read_yaml_text(write(tmp_path / "a.yaml", "a: &x [1]\nb: *x\n"))


def test_a_large_file_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("tfbind.yaml_files.LARGEST", 10)
    with pytest.raises(TfbindError, match="has more than 10 characters"):
        read_yaml_text(write(tmp_path / "a.yaml", "a: 1234567890"))


@pytest.mark.parametrize("text", ["{", "a: b: c", "\t- x", "a: \x00"])
def test_other_text_is_not_yaml(tmp_path, text):
    with pytest.raises(TfbindError, match="is not YAML"):
        read_yaml_text(write(tmp_path / "a.yaml", text))
