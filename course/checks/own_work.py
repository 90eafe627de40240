"""Looking at the student's cell itself: whether it is the student's own work, and what it gives for other values."""

from collections.abc import Mapping
from types import ModuleType

from course.checks.expectations import CheckFailed, expect
from course.notebooks.markers import BEGIN
from course.notebooks.names import REFERENCE, defined, used


def own_work(name: str, *given: str) -> None:
    """Fails if the cell that defines `name` calls the course's own solution instead of being one.

    Functions of other cells that it calls are looked at too, but not what these are given.

    Args:
        name: of a function, class or variable that the student's cell defines.
        given: names from the course that the task itself hands to that cell.
    """
    cell, values = _cell_of(name), _values()
    seen, waiting = set(given), [cell]
    while waiting:
        for taken in used(waiting.pop()):
            if taken in seen:
                continue
            seen.add(taken)
            origin = _origin(taken, values)
            expect(
                origin is None,
                f'The cell that defines {name} uses "{taken}" of {origin}, the course\'s own solution; write it '
                "with torch alone and with what the task gives you.",
            )
            if getattr(values.get(taken), "__module__", None) == "__main__":
                waiting += [source for source in [_cell_of(taken, missing="")] if source]


def again(name: str, **values: object) -> dict[str, object]:
    """Runs the student's cell that defines `name` once more, with other values for what it reads.

    Returns:
        All names after that; the notebook's own stay as they are.
    """
    names = {**_values(), **values}
    exec(compile(_cell_of(name), f"<the cell that defines {name}>", "exec"), names)
    return names


def _values() -> Mapping[str, object]:
    from IPython import get_ipython

    return get_ipython().user_ns


def _cell_of(name: str, missing: str | None = None) -> str:
    """The source of the cell that was run last of those that define a name: the student's, if there is one."""
    ran = [source for source in reversed(_values()["In"]) if name in source]
    for wanted in (BEGIN, ""):
        for source in ran:
            if wanted in source and name in defined(source):
                return source
    if missing is None:
        raise CheckFailed(
            f"nothing that was run defines {name}; write it in the blank above, run that cell, then this one."
        )
    return missing


def _origin(name: str, values: Mapping[str, object]) -> str | None:
    """The module of the course that a name comes from, itself or as the kind of thing it stands for."""
    value = values.get(name)
    if name.split(".")[0] in REFERENCE and (value is None or isinstance(value, ModuleType)):
        return name
    if isinstance(value, ModuleType):
        module = value.__name__
    else:
        module = getattr(value, "__module__", None) or type(value).__module__
    return module if str(module).split(".")[0] in REFERENCE else None
