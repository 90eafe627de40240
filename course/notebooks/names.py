"""The names that a cell's source defines, and those that it takes from elsewhere."""

import ast
from collections.abc import Iterator

from core.errors import CourseError

REFERENCE = ("fcn", "cam", "residual")  # the packages that hold what the exercises ask for


def defined(source: str) -> set[str]:
    """The variables, functions and classes that a cell defines; none if it isn't Python."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return _stored(tree) | {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def used(source: str) -> Iterator[str]:
    """The names that a cell takes from the notebook, and the modules that it imports; some more than once."""
    tree = ast.parse(source)
    own = _stored(tree) | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in own:
            yield node.id
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def subject(source: str, check: str) -> str:
    """The name by which a check finds a cell: of what the cell defines, the first thing that the check uses.

    Raises:
        CourseError: it uses nothing of it.
    """
    names = sorted(defined(source))
    for name in used(check):
        if name in names:
            return name
    raise CourseError(
        f'The check "{check.strip().splitlines()[0]}" uses nothing that the blank above it defines '
        f"({', '.join(names) or 'nothing at all'}); check one of these, or mend the blank."
    )


def imported_from_elsewhere(source: str) -> set[str]:
    """The names that a cell imports from other packages than those with solutions."""
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).split(".")[0] not in REFERENCE
    }


def _stored(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
