"""Charts that explain: the GIL, the timeline of tasks, the task graph."""
