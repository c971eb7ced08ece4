"""Corpora: audio and raters of IEMOCAP or a CSV -> utterances, annotations."""
