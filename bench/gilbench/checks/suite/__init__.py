"""A project's own benchmarks in the parent process: selection finds them, listing asks both arms, suite_workers measures."""
