"""Arrays as bytes, for a journal."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any


def to_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Put arrays, numbers and texts by name into bytes (NumPy's npz)."""
    import numpy as np

    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def from_bytes(data: bytes) -> dict[str, Any]:
    """Give what `to_bytes` put into bytes: arrays, and scalars without a dimension as Python's own."""
    import numpy as np

    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return dict(arrays.items())
