"""Onclair: from an oncology cohort's raw signal to a model whose claims have been checked. Research use only."""

__version__ = "0.1.0"
