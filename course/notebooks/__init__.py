"""Notebooks as files: their source, parameters, presets, blanks and names."""
