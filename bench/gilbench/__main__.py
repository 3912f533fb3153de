"""`python -m gilbench` is the same as `gilbench`."""

from gilbench.commands.group import main

if __name__ == "__main__":
    main()
