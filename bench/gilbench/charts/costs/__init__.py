"""Charts of what a scheduler costs: per task, per byte, in memory, in time before tasks pay."""
