"""The arguments of the commands that run, record, report and hand out the course."""
