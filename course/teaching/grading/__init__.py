"""The instructors' side: what nbgrader must know of the notebooks, and grading. It isn't handed out."""
