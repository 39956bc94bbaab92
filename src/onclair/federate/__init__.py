"""Learning and validating across hospitals whose data never move: programs, coordinators, gate, drivers.

Floor 3. Studies come in as values; the transport is the engine's, never ours.
"""
