"""Why this answer: contributions of features, parts of the signal that moved it, cases like it, and what a score goes with.

Floor 2. It explains predictions it is handed; it trains nothing.
"""
