"""The claims about fully convolutional networks on facades: notebooks 01 to 05."""

from collections.abc import Callable

from course.reporting.claims.claim import Claim, Results

SCRATCH, PRETRAINED, SKIPS, COMPARE = ("02_fcn32s_scratch", "03_fcn32s_pretrained", "04_fcn8s", "05_compare")


def _test_gain(better: str, worse: str) -> Callable[[Results], float]:
    """A figure: by how much the test mean IoU of one notebook exceeds the other's."""
    return lambda results: results[better]["test"]["mean_iou"] - results[worse]["test"]["mean_iou"]


def _epochs_saved(results: Results) -> float:
    """Epochs by which the pretrained network is earlier at the scratch network's best validation mean IoU.

    If it never gets there, it is counted as if it did in the epoch after its last.
    """
    scratch = [epoch["validation"]["mean_iou"] for epoch in results[SCRATCH]["history"]]
    pretrained = [epoch["validation"]["mean_iou"] for epoch in results[PRETRAINED]["history"]]
    best = max(scratch)
    there = next((index for index, iou in enumerate(pretrained) if iou >= best), len(pretrained))
    return scratch.index(best) - there


def _boundary_surplus(results: Results) -> float:
    measured = results[COMPARE]["measured"]
    return measured["boundary_gain"] - measured["interior_gain"]


def _validation_minus_test(results: Results) -> float:
    return results[SKIPS]["validation"]["mean_iou"] - results[SKIPS]["test"]["mean_iou"]


CLAIMS = (
    Claim(
        name="pretrained-helps",
        statement="FCN-32s from pretrained weights beats FCN-32s from scratch (test mean IoU, gain)",
        source="the assignment; FCN paper, section 4.3",
        published='8s with ImageNet weights 0.482, "scratch" 0.030 with all convolutions at zero; '
        'paper: scratch "not feasible"',
        notebooks=(SCRATCH, PRETRAINED),
        figure=_test_gain(PRETRAINED, SCRATCH),
    ),
    Claim(
        name="pretrained-faster",
        statement="Pretrained, it takes fewer epochs to the best validation mean IoU from scratch",
        source="the assignment",
        published="curves only, with the same dead network",
        notebooks=(SCRATCH, PRETRAINED),
        figure=_epochs_saved,
        form="+.1f",
        unit="epochs",
    ),
    Claim(
        name="8s-beats-32s",
        statement="FCN-8s beats FCN-32s (test mean IoU, gain)",
        source="FCN paper, table 2; the assignment",
        published="62.7 against 59.4 (VOC 2011); the assignment's 32s is shifted by 50 px",
        notebooks=(PRETRAINED, SKIPS),
        figure=_test_gain(SKIPS, PRETRAINED),
    ),
    Claim(
        name="8s-boundaries",
        statement="What FCN-8s gains, it gains at boundaries (mean IoU: gain there minus gain inside)",
        source="FCN paper, section 4.2 and figure 4",
        published="finer detail, by eye; no figure",
        notebooks=(PRETRAINED, SKIPS, COMPARE),
        figure=_boundary_surplus,
    ),
    Claim(
        name="test-figures",
        statement="A score on validation, which chooses the epoch, flatters (FCN-8s mean IoU: validation minus test)",
        source="the assignment, which calls validation test",
        published="0.740 accuracy, 0.482 mean IoU called test, but scored on validation",
        notebooks=(SKIPS,),
        figure=_validation_minus_test,
    ),
)
