"""Features: audio -> frames of log-mel or of a pretrained model."""
