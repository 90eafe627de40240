"""The segmenter of notebook 09: digits, scenes made of them, two networks and a baseline."""
