"""Damage to a file: of its bytes, of its lines and fields, of its encoding. And changes that mean nothing."""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Callable
from random import Random

from Bio.bgzf import BgzfWriter

# what a field is replaced with: the edges of every kind of number and name that a parser may expect
VALUES = [
    *(
        b"",
        b" ",
        b".",
        b"-",
        b"-1",
        b"0",
        b"1",
        b"00",
        b"+5",
        b"1.0",
        b"1e5",
        b"1e+05",
        b"0x10",
        b"1_000",
        b"1,000",
    ),
    *(
        b"NA",
        b"NaN",
        b"nan",
        b"inf",
        b"-inf",
        b"Infinity",
        b"1e400",
        b"-1e400",
        b"1e-400",
        b"1e308",
        b"0.5",
        b"-0.0",
    ),
    *(b"2147483647", b"2147483648", b"4294967296", b"9007199254740993", b"9223372036854775807"),
    *(
        b"9223372036854775808",
        b"18446744073709551616",
        b"1" + b"0" * 400,
        b"9" * 5000,
        b"-9223372036854775809",
    ),
    *(
        "٣".encode(),
        "²".encode(),
        "\uff11\uff12".encode(),
        "½".encode(),
        "é".encode(),
        "\u2028".encode(),
        "\x85".encode(),
    ),
    *(
        b"chr1",
        b"1",
        b"chr2",
        b"a b",
        b'"',
        b'"a',
        b"#",
        b">",
        b"true",
        b"null",
        b"[]",
        b"{}",
        b"\x1b[31m",
        b"\x00",
    ),
    *(
        b"0|1",
        b"0/1",
        b".",
        b"1|",
        b"2|0",
        b"<DEL>",
        b"A,C",
        b"ACGT",
        b"+",
        b"x" * 3000,
        b"..",
        b"%s",
        b"{0}",
        b"\\n",
    ),
]
BYTES = [
    b"\x00",
    b"\r",
    b"\n",
    b"\t",
    b" ",
    b"\xff",
    b"\x1a",
    b"\xef\xbb\xbf",
    b"\x0c",
    b"\x0b",
    b"\x1c",
    b"\xc2\x85",
]
NEST = [
    b"[",
    b"{",
    b"(",
    b"- ",
    b"a: ",
    b"{a: ",
    b'{"a":',
    b"!",
    b"&a ",
    b"*a",
    b"!!python/object/apply:os.system ",
    b"? ",
]
_SEPARATORS = re.compile(rb"([\t ,:;|=/\[\]{}]+)")
_NUMBER = re.compile(rb"[0-9]+")


def mutate(data: bytes, rng: Random, seeds: tuple[bytes, ...] = ()) -> bytes:
    """Damage a file in one to four ways, drawn by ``rng``."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        change = rng.choice(_CHANGES)
        data = change(data, rng, seeds)
        if len(data) > 200_000:
            data = data[:200_000]
    return data


def _field(data: bytes, rng: Random, _: object) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    cells = _SEPARATORS.split(lines[at])
    cells[2 * rng.randrange((len(cells) + 1) // 2)] = rng.choice(VALUES)
    lines[at] = b"".join(cells)
    return b"\n".join(lines)


def _cells(data: bytes, rng: Random, _: object) -> bytes:
    """Drop, repeat or swap the cells of a line."""
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    separator = b"\t" if b"\t" in lines[at] else b" "
    cells = lines[at].split(separator)
    first, second = rng.randrange(len(cells)), rng.randrange(len(cells))
    match rng.randrange(4):
        case 0:
            del cells[first]
        case 1:
            cells.insert(first, cells[second])
        case 2:
            cells[first], cells[second] = cells[second], cells[first]
        case _:
            cells = cells[:first]
    lines[at] = separator.join(cells)
    return b"\n".join(lines)


def _lines(data: bytes, rng: Random, _: object) -> bytes:
    """Drop, repeat, swap, join or empty lines."""
    lines = data.split(b"\n")
    first, second = rng.randrange(len(lines)), rng.randrange(len(lines))
    match rng.randrange(6):
        case 0:
            del lines[first]
        case 1:
            lines.insert(first, lines[second])
        case 2:
            lines[first], lines[second] = lines[second], lines[first]
        case 3:
            lines.insert(first, b"")
        case 4:
            lines[first : first + 2] = [b"".join(lines[first : first + 2])]
        case _:
            lines.insert(
                first, rng.choice((b"#", b"# comment", b"   ", b"\t", b"track name=x", b">", b"##x=1"))
            )
    return b"\n".join(lines)


def _number(data: bytes, rng: Random, _: object) -> bytes:
    """Change one number by a little, or by its digits."""
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    match = rng.choice(found[:2000])
    text = match[0]
    value = int(text[:400])
    new = rng.choice(
        (
            *(
                b"%d" % (value + 1),
                b"%d" % max(value - 1, 0),
                b"-" + text,
                text + b".5",
                text + b".0",
                b"0" + text,
            ),
            *(text * 12, text + b"e3", text + b"e30", text + b"e999999999", b"0", text[::-1], text[:-1]),
            *(b"%d" % (value + 2**63), b"%d" % (value + 2**64), b"%d" % (2**31 + value), text + b"L"),
        )
    )
    return data[: match.start()] + new + data[match.end() :]


def _bytes(data: bytes, rng: Random, _: object) -> bytes:
    at = rng.randrange(len(data) + 1)
    match rng.randrange(6):
        case 0:
            return data[:at] + rng.randbytes(rng.randrange(1, 4)) + data[at:]
        case 1:
            return data[:at] + rng.choice(BYTES) + data[at:]
        case 2:
            return data[:at] + data[at + rng.randrange(1, 6) :]
        case 3:
            flipped = bytearray(data)
            if flipped:
                flipped[at % len(flipped)] ^= 1 << rng.randrange(8)
            return bytes(flipped)
        case 4:
            return data[:at]
        case _:
            end = at + rng.randrange(1, 40)
            return data[:at] + data[at:end] * rng.choice((2, 3, 50)) + data[end:]


def _splice(data: bytes, rng: Random, seeds: tuple[bytes, ...]) -> bytes:
    other = rng.choice(seeds) if seeds else data
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _nest(data: bytes, rng: Random, _: object) -> bytes:
    at = rng.randrange(len(data) + 1)
    times = rng.choice((1, 2, 30, 3000)) if rng.random() < 0.3 else rng.choice((1, 2, 5))
    return data[:at] + rng.choice(NEST) * times + data[at:]


def _whole(data: bytes, rng: Random, _: object) -> bytes:
    """Change the encoding, the line ends or the separators of the whole file, or empty it."""
    match rng.randrange(12):
        case 0:
            return data.replace(b"\n", b"\r\n")
        case 1:
            return data.replace(b"\n", b"\r")
        case 2:
            return b"\xef\xbb\xbf" + data
        case 3:
            return data.decode("latin-1").encode("utf-16")
        case 4:
            return data.decode("latin-1").encode("utf-16-be")
        case 5:
            return data.replace(b"\t", rng.choice((b" ", b",", b"\t\t", b";")))
        case 6:
            return rng.choice((b"", b"\n", b"\x00" * 50, b"\xff\xfe", b"#", b"\x1f\x8b", b"BCF\2\2"))
        case 7:
            return data.upper()
        case 8:
            return data * rng.choice((2, 5))
        case 9:
            return gzip.compress(data, 1)
        case 10:
            return gzip.compress(data, 1)[: -rng.randrange(1, 20)]
        case _:
            return data.replace(b" ", b"\t")


_CHANGES: tuple[Callable[[bytes, Random, tuple[bytes, ...]], bytes], ...] = (
    *(_field, _field, _field, _field, _cells, _cells, _lines, _lines, _number, _number),
    *(_bytes, _bytes, _bytes, _splice, _nest, _whole),
)


def packed(data: bytes) -> bytes:
    """Compress as gzip, the time left out."""
    return gzip.compress(data, 1, mtime=0)


def blocked(data: bytes) -> bytes:
    """Compress as BGZF."""
    out = io.BytesIO()
    writer = BgzfWriter(fileobj=out, compresslevel=1)
    writer.write(data)
    writer.flush()
    return out.getvalue() + bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


def damage_archive(data: bytes, rng: Random) -> bytes:
    """Damage a compressed file: cut it, flip bytes, or append to it."""
    at = rng.randrange(len(data) + 1)
    match rng.randrange(4):
        case 0:
            return data[:at]
        case 1:
            flipped = bytearray(data)
            for _ in range(rng.randrange(1, 4)):
                flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
            return bytes(flipped)
        case 2:
            return data + rng.choice((b"junk", data, b"\x00" * 9, b"\x1f\x8b"))
        case _:
            return data[:at] + rng.randbytes(rng.randrange(1, 9)) + data[at:]


def _is_odd(data: bytes) -> bool:
    """Whether a line end put into a file would change more than a line end."""
    return b"\r" in data or data.startswith(b"\x1f\x8b")


def _with_crlf(data: bytes) -> bytes | None:
    return None if _is_odd(data) else data.replace(b"\n", b"\r\n")


def _with_cr(data: bytes) -> bytes | None:
    return None if _is_odd(data) else data.replace(b"\n", b"\r")


def _with_blank_lines(data: bytes) -> bytes | None:
    return data + b"\n\n" if data.endswith(b"\n") and not _is_odd(data) else None


def _with_mark(data: bytes) -> bytes | None:
    return None if data.startswith((b"\xef\xbb\xbf", b"\x1f\x8b")) else b"\xef\xbb\xbf" + data


def _packed(data: bytes) -> bytes | None:
    return None if data.startswith(b"\x1f\x8b") else packed(data)


def _blocked(data: bytes) -> bytes | None:
    return None if data.startswith(b"\x1f\x8b") else blocked(data)


# changes that mean nothing; None where the file is such that one would mean something
ALIKE: dict[str, Callable[[bytes], bytes | None]] = {
    "crlf": _with_crlf,
    "cr": _with_cr,
    "blank": _with_blank_lines,
    "bom": _with_mark,
    "gzip": _packed,
    "bgzf": _blocked,
}
