import base64
from typing import Annotated, Literal

import msgspec
import numpy as np
import pytest
from msgspec import Meta

from tfbind.errors import TfbindError
from tfbind.training.card_schema import Name, Number, array, check_length, checked, parse_json, shortened


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    units: Annotated[int, Meta(ge=1, le=10)]
    cell: Literal["gru", "lstm"] = "gru"


class Outer(msgspec.Struct):
    network: Inner
    tasks: list[Name] = []
    slope: Number = 1.0


class TestJson:
    def test_is_parsed(self):
        assert parse_json("m.keras", "c.json", b'{"a": [1, 2.5, null]}') == {"a": [1, 2.5, None]}

    @pytest.mark.parametrize(
        "data",
        [b"", b"[]", b'"text"', b"\xff\xfe", b'{"a": NaN}', b'{"a": -Infinity}', b'{"a": 1e999}', b'{"a": "\xff"}',
         b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"a":' * 50_000, b'{"a": ' + b"9" * 6000 + b"}"],
        ids=lambda data: data[:12],
    )  # fmt: skip
    def test_what_is_not_is_refused_in_one_line(self, data):
        with pytest.raises(
            TfbindError, match=r"^m\.keras: .*its c\.json is not a JSON object \(.*\)$"
        ) as caught:
            parse_json("m.keras", "c.json", data)
        assert len(str(caught.value)) < 200


class TestChecked:
    def test_is_given_as_the_schema_has_it(self):
        card = checked("m", {"network": {"units": 3}, "slope": 2, "of another tfbind": 1}, Outer)
        assert card == Outer(network=Inner(units=3, cell="gru"), tasks=[], slope=2.0)

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"network": {"units": "3"}}, "network.units is '3', expected int"),
            ({"network": {"units": True}}, "network.units is True, expected int"),
            ({"network": {"units": 11}}, "network.units is 11, expected int <= 10"),
            ({"network": {"units": 10**40}}, "network.units is 1"),
            ({"network": {"units": 3, "cell": "x"}}, "network.cell "),
            ({"network": {"units": 3, "more": 1}}, "network contains unknown field 'more'"),
            ({"network": {}}, "network missing required field 'units'"),
            ({"network": None}, "network is None, expected object"),
            ({}, "missing required field 'network'"),
            (
                {"network": {"units": 1}, "tasks": ["a", "b\tc"]},
                "tasks[1] is 'b\\tc', expected str without tabs or",
            ),
            ({"network": {"units": 1}, "tasks": ["a\n"]}, "tasks[0] is 'a\\n', expected str without tabs or"),
            ({"network": {"units": 1}, "tasks": ["x" * 300]}, "tasks[0] is 'xxx"),
            ({"network": {"units": 1}, "slope": 1e300}, "slope is 1e+300, expected float <= 1e+30"),
        ],
        ids=lambda value: value[:30] if isinstance(value, str) else "",
    )
    def test_key_and_value_and_what_was_expected_are_named(self, values, message):
        with pytest.raises(TfbindError) as caught:
            checked("m.keras", values, Outer)
        assert str(caught.value).startswith(f"m.keras: its tfbind.json is damaged: {message}")
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 250


def test_a_value_in_a_message_is_short():
    for value in ("x" * 10_000, [["a" * 100] * 100] * 100, {i: i for i in range(1000)}, 10**4000):
        assert len(shortened(value)) <= 120


class TestArrays:
    def test_are_read(self):
        text = base64.b64encode(np.array([1, 2], "<u8").tobytes()).decode()
        assert array("m", "digests", text, "<u8").tolist() == [1, 2]
        assert array("m", "digests", text, "<u8", 2).tolist() == [1, 2]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("AAA", "gkm is not base64"),
            ("AAAA\n!", "gkm is not base64"),
            ("AAAA", "gkm has 3 bytes, expected 8"),
            (
                base64.b64encode(np.array([1, np.nan], "<f4").tobytes()).decode(),
                "gkm holds nan, expected finite numbers",
            ),
            ("é", "gkm is not base64"),
        ],
    )
    def test_what_is_none_is_refused(self, text, message):
        with pytest.raises(TfbindError, match=rf"m\.keras: its tfbind\.json is damaged: {message}"):
            array("m.keras", "gkm", text, "<f4", 2)


def test_a_list_of_another_length_is_refused():
    check_length("m", "threshold", [1, 2], 2, "factor")
    with pytest.raises(TfbindError, match="threshold has 3 values, expected 2, one for each factor"):
        check_length("m", "threshold", [1, 2, 3], 2, "factor")
