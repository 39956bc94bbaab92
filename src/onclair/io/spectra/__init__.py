"""Spectra in and out: every instrument's file, the table of spectra, and what describes it.

One file a family of formats; `reading.py` chooses by content, then by name.
"""
