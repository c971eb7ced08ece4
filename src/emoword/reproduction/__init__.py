"""Reproduction: the paper's numbers, its claims, what it leaves open, controls, leak checks."""
