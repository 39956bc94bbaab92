"""What the coordinator does between rounds: pure `begin`, `plan`, `aggregate` over frozen states.

Exact ones equal the pooled fit to rounding; averaged ones state their drift. None opens a file or a connection.
"""
