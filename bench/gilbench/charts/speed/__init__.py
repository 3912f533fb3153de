"""Charts of how fast: which scheduler wins, by how much, and how sure that is."""
