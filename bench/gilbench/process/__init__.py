"""Child processes: how one is started, spoken to and ended, and the software and surroundings that it gets."""
