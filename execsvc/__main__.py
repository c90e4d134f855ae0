"""``python -m execsvc`` is the program ``execsvc``."""

import sys

from execsvc.cli import main

if __name__ == "__main__":
    sys.exit(main())
