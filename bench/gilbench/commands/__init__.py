"""The command line: one file per command, and the folder is the registry. Each parses, calls and prints, nothing else.

A module here that defines `command`, a click command, adds it. Heavy modules are imported by the command that needs them:
`gilbench --help` must stay instant.

Exit codes: 0 done; 1 something that was measured failed; 2 wrong usage or an error, told in one line; 130 interrupted.
"""
