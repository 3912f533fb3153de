"""`gilbench check`: two arms take turns in fresh processes until every case has a verdict.

arms -> lockstep (turns inside a worker) -> family (sequential decides) -> session -> deliver
"""
