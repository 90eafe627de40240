"""Draws the built-in data: facades in CMP Facade's classes and format."""
