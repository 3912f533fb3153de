"""Charts of speed: which scheduler wins, by how much, and how certain that is."""
