"""Using it: a recording -> words, a word -> recordings, a model to take elsewhere."""
