import pytest

from tfbind.errors import LONGEST_MESSAGE, MissingDependencyError, TfbindError


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("a.bed: line 3: found '5', expected 6", "a.bed: line 3: found '5', expected 6"),
        ("a.bed: one\n  two\tthree", "a.bed: one two three"),
        # a terminal would obey the first, show nothing of the second and turn the line around at the third
        ("found \x1b[31m", "found \\x1b[31m"),
        ("found a\x00b", "found a\\x00b"),
        ("found \u202eb", "found \\u202eb"),
        ("found é, 染", "found é, 染"),
        ("", ""),
    ],
)
def test_a_message_is_one_line_that_can_be_seen(message, shown):
    assert str(TfbindError(message)) == shown


def test_of_a_long_message_both_ends_are_kept():
    shown = str(TfbindError(f"a.bed: line 1: found {'x' * 10_000}, expected a number"))
    assert len(shown) <= LONGEST_MESSAGE
    assert shown.startswith("a.bed: line 1: found xxx")
    assert shown.endswith("xxx, expected a number")
    assert " ... " in shown


def test_other_kinds_of_error_keep_their_message():
    assert "needs the package pyjaspar" in str(MissingDependencyError("pyjaspar", "jaspar", "the matrix"))


def test_characters_that_are_escaped_count_in_the_length():
    assert len(str(TfbindError("\x1b" * 5 + "a" * 5000))) <= LONGEST_MESSAGE
