"""`gilbench check`: two arms take turns in fresh processes until every case or benchmark has a verdict.

checker -> scope (which workloads) or suite (which benchmarks of a project), arms
        -> lockstep (epochs; turns or driven, inside a worker) -> family (sequential decides)
        -> outcome (verdicts, notes, results) -> deliver

discover has a file for each kind of benchmark. stored compares two result files instead, without measuring anything.
"""
