"""The engine: stages, content-keyed store, resume, process pool, verify, replay, benchmarks.

Floor 4. It runs any study and names none.
"""
