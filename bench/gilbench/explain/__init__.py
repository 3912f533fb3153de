"""What a result means: series, winners, findings, the tutorial's claims, and the command that repeats it. Pure."""
