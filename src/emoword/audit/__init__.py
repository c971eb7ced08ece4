"""Audit: records of jobs, trace, verify, archive."""
