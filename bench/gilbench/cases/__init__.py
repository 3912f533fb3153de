"""A case: a workload at a size under a scheduler; which cases there are, and how one is opened, counted and checked."""
