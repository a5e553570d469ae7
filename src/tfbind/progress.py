"""Progress on stderr: a bar with time left on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time

SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Count work done, as a context manager.

    Parameters
    ----------
    description : str
        What is being done, for example ``"encoding"``.
    total : int or None
        How many units there are in all; None where that is not known.
    unit : str
        What is counted, for example ``"sequences"``.
    """

    def __init__(self, description: str, total: int | None = None, unit: str = "records"):
        self.description = description
        self.total = total
        self.unit = unit
        self.done = 0
        self._bar = None

    def __enter__(self) -> Progress:
        self._start = self._last = time.monotonic()
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                desc=self.description, total=self.total, unit=f" {self.unit}", unit_scale=True, leave=False
            )
        return self

    def update(self, n: int, note: str = "") -> None:
        """Count ``n`` more units done; ``note`` is shown behind the figures."""
        self.done += n
        if self._bar is not None:
            self._bar.set_postfix_str(note, refresh=False)
            self._bar.update(n)
        elif time.monotonic() - self._last >= SECONDS_BETWEEN_LINES:
            self._last = time.monotonic()
            print(self._line(note), file=sys.stderr, flush=True)

    def _line(self, note: str) -> str:
        seconds = time.monotonic() - self._start
        rate = self.done / seconds
        of_total = f"/{self.total:,}" if self.total else ""
        left = f", {(self.total - self.done) / rate:.0f} s left" if self.total and rate else ""
        return f"{self.description}: {self.done:,}{of_total} {self.unit}, {rate:,.0f}/s{left} {note}".rstrip()

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.close()
