"""Estimators, selection and tuning inside folds, calibration, conformal sets, optimism, novelty gate.

Floor 2. Nothing here sees a held-out fold before it predicts it.
"""
