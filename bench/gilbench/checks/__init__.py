"""`gilbench check`: two arms take turns in fresh processes until every case has a verdict.

checker -> scope (what is checked), arms -> lockstep (epochs; turns, inside a worker) -> family (sequential decides)
        -> outcome (verdicts, notes, results) -> deliver

stored compares two result files instead, without measuring anything.
"""
