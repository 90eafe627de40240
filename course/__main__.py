"""`python -m course`, the same as the script `course`."""

import sys

from course.cli import main

if __name__ == "__main__":
    sys.exit(main())
