"""What a result means: series and winners, the tutorial's claims, findings, and the command that repeats it. Pure."""
