"""What the benchmarks of the statistics core run: `tasks.py` and `peers.py` are timed, the others draw virtual cohorts.

`run/bench_validate.py` starts the first, each in a fresh process; `run/coverage.py` asks the second how often intervals hold the truth.
"""
