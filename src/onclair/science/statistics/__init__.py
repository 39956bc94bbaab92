"""Solvers and estimators that both `learn` and `validate` stand on: ranks, GLM, Cox, smoothers, the bootstrap engine.

Pure functions on arrays; nothing here knows what a patient or a study is.
"""
