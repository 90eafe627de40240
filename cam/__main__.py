"""`python -m cam PHOTO`: the short way to `course explain`."""

import sys

from cam import explain
from core import command

if __name__ == "__main__":
    sys.exit(command.main(explain, "python -m cam"))
