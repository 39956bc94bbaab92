"""Other people's layouts, into a cohort folder and out of it.

One file a layout: `dicom.py`.
"""
