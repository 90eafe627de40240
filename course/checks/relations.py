"""Relations between scores: what a training must show on any machine, with a wide margin (see docs/margins.md)."""

from collections.abc import Iterable, Mapping

from course.checks.expectations import CheckFailed
from course.notebooks import source as notebooks
from course.records.record import Record, as_recorded


def relation(record: Record, holds: object, sentence: str, earlier: Iterable[Mapping] = ()) -> None:
    """Prints a sentence about the run's scores, for nbval to compare.

    With the notebook's own parameters the sentence has to be true. With others, such as fewer epochs or other data, it
    may not be; then that is what is printed.

    Args:
        earlier: records of other notebooks that the scores are from, too.

    Raises:
        CheckFailed: it isn't true, and all parameters are the notebooks' own.
    """
    if holds:
        print(sentence)
    elif _is_stored(record.source, record.notebook, record.parameters) and all(map(_is_stored_run, earlier)):
        raise CheckFailed(f"the scores of this run don't show it, and with these parameters they should: {sentence}.")
    else:
        print(f"Not so in this run: {sentence}")


def _is_stored_run(run: Mapping) -> bool:
    name = run["notebook"]
    return _is_stored(notebooks.read_source(notebooks.FOLDER / f"{name}.ipynb"), name, run["parameters"])


def _is_stored(source: notebooks.Notebook, name: str, parameters: Mapping[str, object]) -> bool:
    """Whether these are the parameters that the notebook has as it is stored."""
    return as_recorded(notebooks.defaults(source, name)) == as_recorded(parameters)
