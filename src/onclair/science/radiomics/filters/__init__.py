"""Convolutional filters (IBSI-2): an image in, a response map of the same grid out.

One file a family; `response` applies any of them, `sets` holds the named set-ups of the reference manual.
"""
