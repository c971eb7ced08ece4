"""Evaluation: decisions, metrics, nearest words."""
