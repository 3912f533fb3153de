"""Charts of why: the GIL, the timeline of tasks, the graph."""
