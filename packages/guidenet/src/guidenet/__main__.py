"""`python -m guidenet`: the command `guidenet`."""

import sys

from guidenet.cli import main

if __name__ == "__main__":
    sys.exit(main())
