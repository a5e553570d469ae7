"""JSON out of a model file, and a card checked against its schema: types, ranges and sizes.

A schema is a `msgspec.Struct`. Keys that it does not name are ignored, unless it forbids them.
"""

from __future__ import annotations

import base64
import re
import reprlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec
import numpy as np
from msgspec import Meta

from tfbind.errors import TfbindError
from tfbind.networks.spec import MOST_LAYERS, MOST_UNITS
from tfbind.training.archive import CARD

# text that becomes a cell of a table or a part of a file's name; no tab, no line break, nothing invisible
_VISIBLE = r"\A[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+\Z"
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=_VISIBLE)]
Size = Annotated[int, Meta(ge=1, le=MOST_UNITS)]
Layers = Annotated[int, Meta(ge=1, le=MOST_LAYERS)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
# JSON has no infinity and no NaN; what is larger than this would become one of them in a product
Number = Annotated[float, Meta(ge=-1e30, le=1e30)]
Positive = Annotated[float, Meta(gt=0, le=1e30)]
Share = Annotated[float, Meta(ge=0, le=1)]
Sha256 = Annotated[str, Meta(pattern=r"\A[0-9a-fA-F]{64}\Z")]

Schema = TypeVar("Schema", bound=msgspec.Struct)

_shorten = reprlib.Repr()
_shorten.maxstring = _shorten.maxother = 60
_shorten.maxlist = _shorten.maxdict = 4
_shorten.maxlevel = 2
# "MESSAGE - at `$.network.units`"
_AT = re.compile(r"(?P<why>.*?)(?: - at `\$(?P<place>.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\[\.\.\.\]")


def shortened(value: Any) -> str:
    """Give a value for a message: one line of 120 letters at most."""
    text = _shorten.repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."


def parse_json(path: str | Path, member: str, data: bytes) -> Any:
    """Parse a member that is JSON. Numbers beyond what a float can hold, NaN and infinity are not JSON.

    Raises
    ------
    TfbindError
        If it is not JSON, or not an object, or values are nested too deep.
    """
    try:
        values = msgspec.json.decode(data)
    except RecursionError:
        _not_json(path, member, "values nested too deep")
    # UnicodeDecodeError and msgspec's errors are both
    except ValueError as error:
        _not_json(path, member, str(error))
    if not isinstance(values, dict):
        _not_json(path, member, f"found {shortened(values)}")
    return values


def _not_json(path: str | Path, member: str, why: str) -> NoReturn:
    raise TfbindError(
        f"{path}: damaged or no model file: its {member} is not a JSON object ({why})"
    ) from None


def checked(path: str | Path, values: dict[str, Any], schema: type[Schema]) -> Schema:
    """Check a card against a schema, and give it as the schema has it.

    Raises
    ------
    TfbindError
        Naming the key, what was found and what was expected.
    """
    try:
        return msgspec.convert(values, schema)
    except msgspec.ValidationError as error:
        match = _AT.fullmatch(str(error))
        assert match is not None
        why, place = match["why"], match["place"] or ""
    except RecursionError:
        why, place = "Values are nested too deep", ""
    key = place.lstrip(".")
    if why.startswith("Object "):
        refuse(path, key, why.removeprefix("Object ").replace("`", "'"))
    expected = why.split(", got ")[0].replace(
        "matching regex " + repr(_VISIBLE), "without tabs or line breaks"
    )
    expected = expected.removeprefix("Expected ").replace("`", "")
    refuse(path, key, f"is {shortened(_at(values, place))}, expected {expected}")


def refuse(path: str | Path, key: str, why: str) -> NoReturn:
    """Refuse a card for the value of a key.

    Raises
    ------
    TfbindError
    """
    raise TfbindError(f"{path}: its {CARD} is damaged: {f'{key} ' if key else ''}{why}") from None


def _at(values: Any, place: str) -> Any:
    """Find the value at a place, as far as the place is named."""
    for step in _STEP.finditer(place):
        key, number = step.groups()
        try:
            values = values[int(number)] if number else values[key]
        except (KeyError, IndexError, TypeError):
            break
    return values


def check_length(path: str | Path, key: str, found: Sequence[Any], expected: int, of: str) -> None:
    """Refuse a list of another length."""
    if len(found) != expected:
        refuse(path, key, f"has {len(found):,} values, expected {expected:,}, one for each {of}")


def array(path: str | Path, key: str, text: str, dtype: str, length: int | None = None) -> np.ndarray:
    """Read an array out of base64.

    Parameters
    ----------
    path, key : of the text
    text : str
    dtype : str
        Of the values, little-endian, such as ``"<u8"``.
    length : int, optional
        How many values there must be.

    Raises
    ------
    TfbindError
        If it is not base64, not whole values or not as many, or floats that are not finite.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        refuse(path, key, f"is not base64 ({error})")
    size = np.dtype(dtype).itemsize
    if len(data) % size or (length is not None and len(data) != length * size):
        expected = f"whole values of {size}" if length is None else f"{length * size:,}"
        refuse(path, key, f"has {len(data):,} bytes, expected {expected}")
    values = np.frombuffer(data, dtype)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        refuse(path, key, f"holds {values[~np.isfinite(values)][0]}, expected finite numbers")
    return values
