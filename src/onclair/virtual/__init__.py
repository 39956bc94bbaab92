"""Virtual patients with known truth, one file a study, and the scanner effects they share.

Floor 2. Every record written here says `virtual`.
"""
