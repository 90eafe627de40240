"""What nbgrader's Validate, in JupyterLab and on the command line, must know here."""

c = get_config()  # noqa: F821  # nbgrader defines it
c.Execute.timeout = 600  # seconds for a cell: a training takes longer than nbgrader's 30
