"""One file per thing measured around a case. A probe never runs in the same process run as a timing."""
