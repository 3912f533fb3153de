"""The inside of a child process that opens benchmarks: only the standard library, and what a kind of benchmark itself needs.

driver starts it and imports the kind; turn_taking is what the kind calls for each benchmark.
"""
