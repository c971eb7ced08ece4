"""Word spaces: GloVe, word2vec, BERT -> words and their vectors; exact neighbours."""
