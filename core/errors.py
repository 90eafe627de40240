"""The one exception that means "the user can mend this", and what is said of unknown names."""

import difflib
from collections.abc import Iterable


class CourseError(Exception):
    """A mistake a user can mend: its message is one sentence with what, where and what to do next."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the sentence alone."""
        return [f"error: {self}"]


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raises CourseError, which suggests the nearest, unless the name is a known one."""
    known = list(known)
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = f'did you mean "{nearest[0]}"?' if nearest else f"choose one of {', '.join(known)}."
        raise CourseError(f'There is no {what} "{name}"; {hint}')
