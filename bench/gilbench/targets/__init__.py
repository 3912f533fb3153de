"""What can be measured: the workloads that come along, the user's own work, and how two answers are compared."""
