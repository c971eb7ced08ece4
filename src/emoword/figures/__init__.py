"""Figures: one file a figure, one style."""
