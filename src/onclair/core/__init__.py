"""The words of the house: values, units, estimates, evidence records, settings, errors, progress, glossary.

Floor 0. Nothing here reads a file or imports torch or sklearn; every other room may import it.
"""
