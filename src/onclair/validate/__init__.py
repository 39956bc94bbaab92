"""Every figure of merit with its interval; negative controls and confounds.

Floor 2. It judges predictions, whoever made them, and imports nothing that learns.
"""
