"""The web door: routers to the same studies, and the design tokens that page and report share.

Floor 6. Empty of servers until the clinic issue moves in.
"""
