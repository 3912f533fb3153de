"""What can be measured: built-in workloads and the user's own work. Also decides whether an answer is right."""
