from pathlib import Path

import pytest

from tfbind import __version__
from tfbind.errors import TfbindError
from tfbind.versions import check_version


def check(found, own="2.3", made_by="tfbind 9.1"):
    check_version(Path("a.h5"), "tensors format", found, own, made_by=made_by, again="tfbind encode")


@pytest.mark.parametrize("found", ["2.0", "2.1", "2.3"])
def test_minor_versions_up_to_the_own_one_are_read(found):
    check(found)


@pytest.mark.parametrize("found", ["2.4", "2.10", "3.0"])
def test_a_newer_version_is_refused(found):
    with pytest.raises(TfbindError) as caught:
        check(found)
    assert str(caught.value) == (
        f"a.h5: found tensors format '{found}', made by tfbind 9.1; tfbind {__version__} reads 2.0 to 2.3: update"
        " tfbind, or make the file again with tfbind encode"
    )


@pytest.mark.parametrize("found", ["1.3", "1.9", "0.1"])
def test_an_older_major_version_is_refused(found):
    with pytest.raises(
        TfbindError, match=r"use the tfbind that made it, or make the file again with tfbind encode$"
    ):
        check(found)


@pytest.mark.parametrize(
    "found", [None, 2.3, 2, "", "2", "2.3.1", "2.x", "v2.3", " 2.3", "2.3\n", "-2.3", "٢.٣", []]
)
def test_what_is_no_version_is_refused(found):
    with pytest.raises(TfbindError, match=r"found tensors format .* use the tfbind that made it"):
        check(found)


def test_the_first_minor_version_is_the_only_one_that_is_read():
    with pytest.raises(TfbindError, match=r"reads 1\.0: update"):
        check("1.1", own="1.0")


def test_unknown_software_is_said_to_be_unknown():
    with pytest.raises(TfbindError, match="made by unknown software; "):
        check("3.0", made_by=None)
