"""What only one study's own commands do, wired once for the command line and the web.

A task calls `science`, `learn` and `validate`; it holds no algorithm.
"""
