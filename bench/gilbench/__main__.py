"""python -m gilbench: the same as gilbench."""

import sys

from gilbench.commands.cli import main

if __name__ == "__main__":
    sys.argv[0] = "gilbench"
    main()
