"""The claims about the FCN paper's two tables: notebooks 10 and 11."""

from collections.abc import Sequence

from course.claims.claim import Claim, NotMeasured, Results

BACKBONES, STAGES = "10_fcn_backbones", "11_fcn_skips"
ENOUGH_SIZES = 5


def _vgg_lead(results: Results) -> float:
    """By how much VGG-16's test mean IoU exceeds the better of the other two."""
    scores = {name: network["mean_iou"] for name, network in results[BACKBONES]["measured"]["networks"].items()}
    return scores.pop("vgg16") - max(scores.values())


def _smaller_step(results: Results) -> float:
    """The smaller gain in test mean IoU of 32s → 16s → 8s, each with as many epochs as the whole chain."""
    if not results[STAGES]["parameters"].get("controls", True):
        raise NotMeasured("notebook 11 ran without its controls")
    networks = results[STAGES]["measured"]["networks"]
    coarse, middle, fine = (networks[name]["mean_iou"] for name in ("32s, as long", "16s, as long", "FCN-8s"))
    return min(middle - coarse, fine - middle)


def _times_saved(results: Results) -> float:
    """How many times longer a sliding classifier takes than one dense pass; 0 if not all sizes were answered."""
    measured = results[BACKBONES]["measured"]
    sizes = {(size["height"], size["width"]) for size in measured["any_size"]}
    dense = measured["dense"]
    return dense["sliding_seconds"] / dense["dense_seconds"] if len(sizes) >= ENOUGH_SIZES else 0.0


def _upsampling_surplus(results: Results) -> float:
    """Upsampling's share of a training step's time minus that of the convolutions, at full width."""
    shares = results[BACKBONES]["measured"]["cost_shares"]["full width"]
    return shares["upsampling"]["step"] - shares["convolution"]["step"]


def _several_times(ratios: Sequence[float]) -> str:
    """Reproduced if every ratio exceeds 2; refuted if none exceeds 1."""
    if min(ratios) > 2:
        return "reproduced"
    return "refuted" if max(ratios) <= 1 else "not settled"


CLAIMS = (
    Claim(
        name="vgg-best",
        statement="VGG-16 is the best of three classifiers made dense (test mean IoU, lead over the next)",
        source="FCN paper, table 1; a reproduction on VOC 2011",
        published="56.0 against 42.5 (GoogLeNet) and 39.8 (AlexNet); the reproduction has AlexNet first",
        notebooks=(BACKBONES,),
        figure=_vgg_lead,
    ),
    Claim(
        name="finer-is-better",
        statement="32s < 16s < 8s (test mean IoU, the smaller of the two gains at equal epochs)",
        source="FCN paper, table 2; a reproduction on VOC 2011",
        published="59.4, 62.4, 62.7; the reproduction has the reverse order, in a table no confusion matrix can give",
        notebooks=(STAGES,),
        figure=_smaller_step,
    ),
    Claim(
        name="any-size",
        statement="One network takes any size, and one dense pass replaces many windows (sliding over dense time)",
        source="FCN paper, abstract and section 3.1",
        published='"arbitrary size"; "more than 5 times faster" than a sliding classifier',
        notebooks=(BACKBONES,),
        figure=_times_saved,
        judge=_several_times,
        form=".1f",
        unit="times",
    ),
    Claim(
        name="upsampling-costly",
        statement="FCNs are costly because of the upsampling (its share of a training step, minus the convolutions')",
        source="an introductory note on FCNs",
        published='"computationally intensive because of the upsampling layers"; no figure',
        notebooks=(BACKBONES,),
        figure=_upsampling_surplus,
    ),
)
