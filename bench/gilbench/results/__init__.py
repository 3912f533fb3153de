"""Results as data: the journal while measuring, the result file, its summary, and verdicts."""
