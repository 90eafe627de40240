"""`python -m fcn PHOTO …`: the short way to `course segment`."""

import sys

from core import command
from fcn import segment

if __name__ == "__main__":
    sys.exit(command.main(segment, "python -m fcn"))
