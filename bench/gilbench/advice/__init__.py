"""`gilbench advise`: probe a target, drop what the probes rule out, let the rest race, and say what to use.

advisor -> probing -> target_facts; contest -> entry (who takes part), racing (one heat), starting (its processes);
choice -> fit; wording. thresholds holds every figure that a decision depends on.
"""
