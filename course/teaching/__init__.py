"""Handing out, grading, slides and the web site. Never part of a student's copy."""
