"""python -m bench: the same as gilbench."""

import sys

from bench.cli import main

if __name__ == "__main__":
    sys.argv[0] = "gilbench"
    main()
