"""The command line: one file a verb, settings turned into flags, errors into one sentence.

Floor 6. A door; the logic stands in the floors below.
"""
