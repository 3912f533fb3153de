"""The command line: one file per command, and the folder is the registry. Each file parses, calls and prints, nothing else.

A module here that defines `command`, a click command, adds it. A command imports heavy modules only when it runs:
`gilbench --help` must stay instant.

Exit codes: 0 done; 1 something that was measured failed; 2 wrong usage, or an error that is reported in one line;
130 interrupted. `check` and `compare` have codes of their own, which their help gives.
"""
