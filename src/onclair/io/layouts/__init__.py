"""Other people's layouts, into a cohort folder and out of it.

One file a layout: `dicom.py`, `nnunet.py`, `msd.py`, `bids.py`; `pairs.py` gives images with label maps from any of them.
"""
