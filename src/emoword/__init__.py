"""Speech emotion recognition with word embeddings as labels.

A reproduction of Stanley et al., "Emotion Label Encoding using Word Embeddings for Speech
Emotion Recognition", Interspeech 2023, DOI 10.21437/Interspeech.2023-1591.

One room (a folder here) is one stage of the pipeline: docs/house.md.
"""

__version__ = "0.2.0"
