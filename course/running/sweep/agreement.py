"""What workers need in common with the one who begins a sweep: versions of the code and packages, and the folder."""

import hashlib
import importlib.metadata
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CourseError
from core.record import package_versions
from course.records import origin

if TYPE_CHECKING:
    from distributed import Client

CODE = "code of the course"


def versions() -> dict[str, str]:
    """The version here of the course's code, as a hash, and of each package that can change a figure or a message."""
    code = hashlib.sha256(str(origin.code()).encode()).hexdigest()[:12]
    return {CODE: code, "distributed": importlib.metadata.version("distributed"), **package_versions()}


def differing(wanted: Mapping[str, str], there: Mapping[str, str]) -> str | None:
    """Says which version of something a worker has in the place of which; None if it has all that is wanted."""
    for name in wanted.keys() | there.keys():
        mine, other = wanted.get(name), there.get(name)
        if mine != other:
            what = name if name == CODE else f"version of {name}"
            return (
                f"has another {what} ({other or 'none'}) than the one who began the sweep ({mine or 'none'}); give "
                "both the same"
            )
    return None


def check(client: "Client", out: Path) -> None:
    """Whether all workers that there are have the same versions, and read and write the sweep's folder.

    Raises:
        CourseError: one doesn't; the message names it and says what differs.
    """
    wanted = versions()
    for worker, answer in client.run(versions, on_error="return").items():
        if isinstance(answer, BaseException):
            raise CourseError(
                f"The worker {worker} doesn't find this course ({answer}); start it in the course's environment."
            )
        if different := differing(wanted, answer):
            raise CourseError(f"The worker {worker} {different}.")
    probe = out / f".probe.{uuid.uuid4().hex}"
    try:
        probe.write_text(probe.name)
        for worker, answer in client.run(reply, probe, on_error="return").items():
            if isinstance(answer, BaseException) or not (probe.with_name(answer)).is_file():
                raise CourseError(
                    f"The worker {worker} doesn't share the folder {out}; name one as --out that all workers can read "
                    "and write."
                )
    finally:
        for file in out.glob(f"{probe.name}*"):
            file.unlink(missing_ok=True)


def reply(probe: Path) -> str:
    """A worker's answer to a file in the sweep's folder: another one beside it, whose name is returned."""
    answer = probe.with_name(f"{probe.read_text()}.{uuid.uuid4().hex}")
    answer.touch()
    return answer.name
