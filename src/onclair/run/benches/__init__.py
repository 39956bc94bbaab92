"""What the benchmarks of the statistics core run.

`tasks.py` and `peers.py` are timed in fresh processes; the others draw virtual cohorts and count what intervals hold.
"""
