"""The one exception that means "the user can mend this", and the error for an unknown name."""

import difflib
from collections.abc import Iterable

LISTED = 12  # names, at most, in a message


class CourseError(Exception):
    """A mistake a user can mend: its message is one sentence with what, where and what to do next."""

    def _render_traceback_(self) -> list[str]:
        """Jupyter shows the sentence alone."""
        return [f"error: {self}"]


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raises the error for an unknown name, with the nearest known one, unless the name is known."""
    known = list(known)
    if name not in known:
        raise unknown_name(what, name, known)


def unknown_name(what: str, name: str, known: Iterable[str]) -> CourseError:
    """Error for an unknown name, with the nearest known one, whatever its capitals; if none is near, with all."""
    by_lower = {other.lower(): other for other in known}
    nearest = difflib.get_close_matches(str(name).lower(), by_lower, n=1)
    if nearest:
        hint = f'did you mean "{by_lower[nearest[0]]}"?'
    else:
        more = f" or {len(by_lower) - LISTED} others" if len(by_lower) > LISTED else ""
        hint = f"choose one of {', '.join(list(by_lower.values())[:LISTED])}{more}."
    return CourseError(f'There is no {what} "{name}"; {hint}')
