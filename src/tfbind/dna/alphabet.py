"""Letters as codes, one-hot rows and k-mer tokens.

Inside tfbind a sequence is an array of *codes*: A=0, C=1, G=2, T=3, and 4 for an ambiguous base or padding.
A batch of sequences is ``codes : (n, length) uint8``, padded on the right, with
``valid_length : (n,) int32`` telling an ambiguous base from padding.
"""

from __future__ import annotations

import numpy as np

from tfbind.errors import TfbindError

ALPHABET = "ACGT"
AMBIGUOUS = 4
MAX_K = 7  # 4**7 is the largest sentinel that leaves room in the specification's uint16

_INVALID = 255
_IUPAC_AMBIGUOUS = "RYSWKMBDHVN"
_ONE_HOT = np.vstack([np.eye(4, dtype=np.uint8), np.zeros((1, 4), np.uint8)])
_COMPLEMENT = np.array([3, 2, 1, 0, AMBIGUOUS], np.uint8)
_LETTERS = np.frombuffer(b"ACGTN", np.uint8)


def _letter_codes() -> np.ndarray:
    table = np.full(256, _INVALID, np.uint8)
    for letters, code in [("A", 0), ("C", 1), ("G", 2), ("TU", 3), (_IUPAC_AMBIGUOUS, AMBIGUOUS)]:
        for letter in letters + letters.lower():
            table[ord(letter)] = code
    return table


_CODE_OF_BYTE = _letter_codes()


def encode_letters(sequence: str, offset: int = 0) -> np.ndarray:
    """Turn letters into codes.

    Parameters
    ----------
    sequence : str
        A, C, G, T or U, or an IUPAC letter for an ambiguous base, in either case.
    offset : int
        Letters in front of it, for the position in a message.

    Returns
    -------
    (len(sequence),) uint8

    Raises
    ------
    TfbindError
        If another character occurs; the message holds its 1-based position.
    """
    # a character outside Latin-1 becomes '?', which is no base either, and keeps its position
    codes = _CODE_OF_BYTE[np.frombuffer(sequence.encode("latin-1", "replace"), np.uint8)]
    wrong = codes == _INVALID
    if wrong.any():
        at = int(wrong.argmax())
        raise TfbindError(
            f"found {sequence[at]!r} at position {offset + at + 1},"
            " expected A, C, G, T, U or an IUPAC ambiguity letter"
        )
    return codes


def encode_any_letters(sequence: str) -> tuple[np.ndarray, np.ndarray]:
    """Turn letters into codes, with an ambiguous base in place of each character that is not a base.

    Returns
    -------
    codes : (len(sequence),) uint8
    wrong : (len(sequence),) bool
        Which characters are not bases.
    """
    codes = _CODE_OF_BYTE[np.frombuffer(sequence.encode("latin-1", "replace"), np.uint8)]
    wrong = codes == _INVALID
    codes[wrong] = AMBIGUOUS
    return codes, wrong


def decode_letters(codes: np.ndarray) -> str:
    """Turn codes back into upper-case letters, ambiguous bases into N."""
    return _LETTERS[codes].tobytes().decode()


def one_hot(codes: np.ndarray) -> np.ndarray:
    """One row of A, C, G, T a base; all zeros for an ambiguous base and for padding.

    Parameters
    ----------
    codes : (..., length) uint8

    Returns
    -------
    (..., length, 4) uint8
    """
    # a base's four bytes as one number: ten times as fast
    return _ONE_HOT.view(np.uint32)[:, 0][codes][..., None].view(np.uint8)


def codes_from_one_hot(x: np.ndarray) -> np.ndarray:
    """Invert `one_hot`: (..., length, 4) uint8 to (..., length) uint8; 255 for a base that is not one-hot."""
    # the four bytes of a base as one number: several times faster than four by four
    bases = np.ascontiguousarray(x).view(np.uint32)[..., 0]
    codes = np.zeros(bases.shape, np.uint8)
    for code, row in enumerate(_ONE_HOT.view(np.uint32)[:, 0]):
        codes += (bases == row).view(np.uint8) * np.uint8(code + 1)
    return codes - np.uint8(1)


def n_tokens(length: int, k: int, stride: int) -> int:
    """How many k-mers a sequence of ``length`` bases has at the given stride."""
    return (length - k) // stride + 1


def kmer_tokens(codes: np.ndarray, k: int, stride: int) -> np.ndarray:
    """The k-mer that starts at every ``stride``-th base, as a number in base 4 (A=0 .. T=3).

    Parameters
    ----------
    codes : (n, length) uint8
    k : int
        1 to 7.
    stride : int
        1 to k, so that no base is passed over but the last ones, fewer than ``stride``.

    Returns
    -------
    (n, tokens) uint16
        4**k where the k-mer holds an ambiguous base or padding.
    """
    n = n_tokens(codes.shape[1], k, stride)
    tokens = np.zeros((len(codes), n), np.uint16)
    ambiguous = np.zeros(tokens.shape, bool)
    for offset in range(k):
        bases = codes[:, _every(stride, n, offset)]
        ambiguous |= bases == AMBIGUOUS
        tokens <<= np.uint16(2)
        tokens |= bases
    tokens[ambiguous] = 4**k
    return tokens


def _every(stride: int, n: int, offset: int) -> slice:
    """The places of the base at ``offset`` of n k-mers."""
    return slice(offset, offset + stride * (n - 1) + 1, stride)


def codes_from_kmers(tokens: np.ndarray, k: int, stride: int, length: int) -> np.ndarray:
    """Put overlapping k-mers back together: (n, tokens) uint16 to (n, length) uint8.

    A base that lies in no unambiguous k-mer comes out ambiguous.
    """
    codes = np.full((len(tokens), length), AMBIGUOUS, np.uint8)
    known = tokens < 4**k
    for offset in range(k):
        bases = (tokens >> np.uint16(2 * (k - 1 - offset))).astype(np.uint8) & np.uint8(3)
        np.copyto(codes[:, _every(stride, tokens.shape[1], offset)], bases, where=known)
    return codes


def reverse_complement(codes: np.ndarray, valid_length: np.ndarray) -> np.ndarray:
    """Reverse complement the valid part of each sequence; padding stays on the right.

    Parameters
    ----------
    codes : (n, length) uint8
    valid_length : (n,) int

    Returns
    -------
    (n, length) uint8
    """
    position = np.arange(codes.shape[1])
    source = valid_length[:, None] - 1 - position
    reversed_codes = np.take_along_axis(codes, np.maximum(source, 0), axis=1)
    return np.where(source >= 0, _COMPLEMENT[reversed_codes], AMBIGUOUS).astype(np.uint8)
