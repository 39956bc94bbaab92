"""Estimators, selection and tuning inside folds, conformal sets, novelty gate.

Floor 2. Nothing here sees a held-out fold before it predicts it.
"""
