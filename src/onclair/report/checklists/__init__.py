"""Reporting checklists filled from the JSON report alone: TRIPOD+AI, PROBAST+AI, CLAIM 2024, METRICS.

Each list is a module of data; `fill.checklists` answers it. A cell that no field backs says `not_available`.
"""
