"""What the benchmarks of the statistics core run.

`tasks.py` and `peers.py` are timed, each in a process of its own (`run/bench_validate.py`); the others draw virtual cohorts and ask
whether intervals hold the truth (`run/coverage.py`).
"""
