"""Learning and validating across hospitals whose data never move: programs, coordinators, gate, drivers.

Floor 3. Empty until the federation issue moves in; it will write no transport of its own.
"""
