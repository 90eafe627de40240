"""A file beside the notebooks that hides a package is named, before a kernel says that 'cam' is not a package."""

import subprocess
import sys

import pytest
from course_samples import write_notebook

from core.errors import CourseError
from core.files import ROOT
from course.notebooks import source as notebooks
from course.notebooks.hiding import hiding


@pytest.mark.parametrize("name", ["cam", "core", "numpy"])
def test_a_file_with_a_packages_name_is_told_before_anything_runs(tmp_path, name):
    write_notebook(tmp_path, "01_first")
    for harmless in ("mine", "random"):
        (tmp_path / f"{harmless}.py").touch()
    assert hiding(tmp_path) == [] and notebooks.choose([], tmp_path)
    (tmp_path / f"{name}.py").touch()
    with pytest.raises(CourseError, match=f"{name}.py hides the package {name} .*another name"):
        notebooks.choose([], tmp_path)


@pytest.mark.parametrize("name", ["cam", "core", "residual"])
def test_the_first_import_of_the_course_names_the_file(tmp_path, name):
    (tmp_path / f"{name}.py").touch()
    code = f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import course.notebooks.source"
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert ended.stderr.strip().endswith(
        f"ImportError: {tmp_path / name}.py hides the course's package {name}; rename it."
    )
