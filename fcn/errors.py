"""The one exception that means "the user can mend this"."""


class CourseError(Exception):
    """A mistake a user can mend: its message is one sentence with what, where and what to do next."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the sentence alone."""
        return [f"error: {self}"]
