"""Grading one notebook of one student in a process of its own, with limits of time and memory."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from core.command import Failed

LEEWAY = 60  # seconds that the process has beyond the notebook's own, to start, to stop a cell and to write


@dataclass(frozen=True)
class Job:
    """What is to be graded.

    Attributes:
        student, name: the student's and the notebook's name.
        out: the grading's folder, an nbgrader course.
        workplace: a folder with the submission in submitted/, and the modules of the blank version in course/.
        minutes: for the notebook.
        memory: gigabytes for its process.
    """

    student: str
    name: str
    out: str
    workplace: str
    minutes: float
    memory: float

    def run(self) -> str:
        """Has it graded in a process of its own; returns what went wrong, in one sentence, or nothing."""
        process = subprocess.Popen(
            [sys.executable, "-m", "course.teaching.grading.job"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            answer, _ = process.communicate(json.dumps(asdict(self)), timeout=60 * self.minutes + LEEWAY)
            return json.loads(answer)
        except subprocess.TimeoutExpired:
            return f"It was stopped after {self.minutes:g} minutes and didn't answer; none of its points count."
        except ValueError:
            return "Its process died, perhaps for lack of memory or for too much output; none of its points count."
        finally:
            _end(process)


def _end(process: subprocess.Popen) -> None:
    """Ends a process with all that it has started."""
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
    process.wait()


def main() -> None:
    """The process's end: reads a job, and answers with what went wrong."""
    job = Job(**json.load(sys.stdin))
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what nbgrader or a kernel writes is no answer
    _limit(job)
    from course.teaching.grading.converters import autograde, write_feedback  # within the limits

    out, workplace = Path(job.out), Path(job.workplace)
    kept = out / "autograded" / job.student / job.name / f"{job.name}.ipynb"
    problem = ""
    try:
        if not kept.exists():
            executed = autograde(
                workplace, out / "gradebook.db", job.student, job.name, workplace / "course", 60 * job.minutes
            )
            kept.parent.mkdir(parents=True, exist_ok=True)
            executed.replace(kept)
        write_feedback(out, job.student, job.name)
    except (Failed, OSError, MemoryError) as error:
        problem = f"{error}."
    json.dump(problem, channel)
    channel.close()


def _limit(job: Job) -> None:
    """Limits this process and all that it starts; where the system knows no such limits, time alone is limited."""
    try:
        import resource
    except ImportError:  # Windows
        return
    seconds, size = int(60 * job.minutes + LEEWAY) * (os.cpu_count() or 1), int(job.memory * 2**30)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_DATA, (size, size))


if __name__ == "__main__":
    main()
