"""Figures with controls; each module has a function that draws for given values, and a thin one for the controls."""
