"""What can be measured: built-in workloads and the user's own work; and whether an answer is right."""
