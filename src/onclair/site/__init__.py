"""One hospital's installation: accounts, audit log, pseudonym vault, cases and reviews.

Floor 4. Empty until the clinic issue moves in; it will know no HTTP.
"""
