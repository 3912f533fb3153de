"""`gilbench advise`: probe, drop what the probes rule out, let the rest race, and say it in words.

session -> advice (what is known, what may still win, the words) and racing (short real runs by turns)
"""
