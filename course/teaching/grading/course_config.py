"""For nbgrader's own commands and pages in this folder."""

c = get_config()  # noqa: F821  # nbgrader defines it
c.CourseDirectory.course_id = "fcn-cam"
