"""The claims about digits: notebook 09."""

from course.reporting.claims.claim import Claim, Results, above

SURGERY = "09_digit_surgery"
FOUND = 0.5  # the overlap from which PASCAL VOC counts an object as found


def _lost_by_skips(results: Results) -> float:
    """By how much standardFCN's mean IoU on single test digits exceeds fcn8's, both trained on single digits."""
    scores = results[SURGERY]["measured"]["scores"]
    return (
        scores["standardFCN, single digits"]["single"]["mean_iou"] - scores["fcn8, single digits"]["single"]["mean_iou"]
    )


def _found_on_grids(results: Results) -> float:
    """Mean IoU of the ten digits on grids, of standardFCN trained on single digits, in eval mode and scaled."""
    return results[SURGERY]["measured"]["scores"]["standardFCN, single digits"]["grid"]["digit_mean_iou"]


CLAIMS = (
    Claim(
        name="fcn8-digits-worse",
        statement="The FCN-8 variant segments digits worse (mean IoU on single digits: without skips minus with skips)",
        source="the CNN and ResNet exercises",
        published="four pictures, by eye; their own weights: 0.939 without skips, 0.971 with",
        notebooks=(SURGERY,),
        figure=_lost_by_skips,
    ),
    Claim(
        name="digits-generalise",
        statement="Trained on single digits, the decoder without skips finds the digits of a grid (their mean IoU; "
        "found: above 0.5)",
        source="the CNN and ResNet exercises",
        published="ink found, classes lacking; by eye, in train mode, brightness 255 times too large",
        notebooks=(SURGERY,),
        figure=_found_on_grids,
        judge=above(FOUND),
        form=".3f",
    ),
)
