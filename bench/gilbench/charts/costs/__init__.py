"""Charts of what schedulers cost: per task, per byte, in memory, and how long tasks must be to pay."""
