"""Fuzz every reader for minutes or hours: ``python tests/fuzz/run.py --minutes 30``; see README.md."""

import sys

from fuzzer.__main__ import main

if __name__ == "__main__":
    sys.exit(main())
