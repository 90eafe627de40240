"""`course grade`."""

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("submissions", metavar="SUBMISSIONS", help="holds a folder or zip for each student")
    parser.add_argument("--out", metavar="DIR", required=True, help="a new folder, or that of an earlier grading")
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="students at a time (default: as many as cores and memory)"
    )
    parser.add_argument("--minutes", type=float, default=10, metavar="M", help="for a notebook (default: 10)")
    parser.add_argument("--memory", type=float, default=8, metavar="GB", help="for a notebook's process (default: 8)")


def run(options: argparse.Namespace) -> None:
    from course.running.side_by_side import default_jobs
    from course.teaching.grading.grade import grade  # not above: --help needs no nbgrader

    summary = grade(options.submissions, options.out, options.jobs or default_jobs(), options.minutes, options.memory)
    for row in summary.rows:
        points = f"{row.automatic:g} of {row.automatic_max:g} automatic points" if row.notebook else ""
        print("  ".join(filter(None, [row.student, row.notebook, points, row.remark])))
    print(f"\n{summary.table}\n{summary.page}")
