"""What a person is told who names something that there isn't."""

import difflib
from collections.abc import Iterable

from fcn.errors import CourseError


def check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raises CourseError, which suggests the nearest, unless the name is a known one."""
    known = list(known)
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=1)
        hint = f'did you mean "{nearest[0]}"?' if nearest else f"choose one of {', '.join(known)}."
        raise CourseError(f'There is no {what} "{name}"; {hint}')
