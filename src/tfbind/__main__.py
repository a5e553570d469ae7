"""``python -m tfbind`` is ``tfbind``."""

import sys

from tfbind.cli import main

sys.exit(main())
