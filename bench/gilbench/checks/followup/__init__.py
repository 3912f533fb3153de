"""What follows a check: which commits its arms are, and the profiles of both arms."""
