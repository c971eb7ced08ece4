"""The demo: a synthetic corpus in IEMOCAP's layout."""
