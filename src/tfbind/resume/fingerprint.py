"""What work depends on, as JSON: where two fingerprints differ, and how a message says so."""

from __future__ import annotations

from typing import Any

LONGEST_VALUE = 80


def difference(was: Any, now: Any, name: str = "") -> tuple[str, Any, Any] | None:
    """Find the first key by which two fingerprints differ.

    Returns
    -------
    tuple of str, value and value, or None
        The key (``options.epochs`` is key ``epochs`` of key ``options``) and its two values, None if it is missing.
    """
    if isinstance(was, dict) and isinstance(now, dict):
        for key in [*now, *was]:
            found = difference(was.get(key), now.get(key), f"{name}.{key}" if name else key)
            if found:
                return found
        return None
    if isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (one, other) in enumerate(zip(was, now, strict=True)):
            if isinstance(one, dict) and (found := difference(one, other, f"{name}[{number}]")):
                return found
    return None if was == now else (name, was, now)


def told(differs: tuple[str, Any, Any]) -> tuple[str, str]:
    """Put a difference in words: the key with its former value, and its present value."""
    name, *values = differs
    texts = [repr(value) for value in values]
    part = LONGEST_VALUE // 2
    was, now = (text if len(text) <= LONGEST_VALUE else f"{text[:part]}...{text[-part:]}" for text in texts)
    return f"{name} {was}", now
