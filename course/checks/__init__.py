"""What the check cells call: the student's work held against the course's, with messages that name the mistake."""

from course.checks.expectations import CheckFailed, expect, expect_close
from course.checks.networks import (
    VGG16_NAMES,
    check_bilinear,
    check_crops,
    check_layers,
    check_same_block,
    check_same_scores,
    check_same_start,
    check_transplant,
    crops,
)
from course.checks.one_line import answer_in_one_line
from course.checks.own_work import again, own_work
from course.checks.relations import relation
from course.checks.running import check_features, check_mended

__all__ = [
    "VGG16_NAMES",
    "CheckFailed",
    "again",
    "check_bilinear",
    "check_crops",
    "check_features",
    "check_layers",
    "check_mended",
    "check_same_block",
    "check_same_scores",
    "check_same_start",
    "check_transplant",
    "crops",
    "expect",
    "expect_close",
    "own_work",
    "relation",
]

answer_in_one_line()
