"""The claims about the FCN paper's two tables: notebooks 10 and 11."""

from course.reporting.claims.claim import Claim, NotMeasured, OtherRecords, Results, above

BACKBONES, STAGES = "10_fcn_backbones", "11_fcn_skips"
ENOUGH_SIZES = 5
SEVERAL = 2.0  # times
ALIKE = 8  # epochs of each network on CMP's facades


def _vgg_lead(results: Results) -> float:
    """By how much VGG-16's test mean IoU exceeds the better of the other two."""
    networks = results[BACKBONES]["measured"]["networks"]
    return networks["vgg16"]["mean_iou"] - max(networks[name]["mean_iou"] for name in ("alexnet", "googlenet"))


def _smaller_step(results: Results) -> float:
    """The smaller gain in test mean IoU of 32s → 16s → 8s, each with as many epochs as the whole chain."""
    if not results[STAGES]["parameters"].get("controls", True):
        raise NotMeasured("notebook 11 ran without its controls")
    networks = results[STAGES]["measured"]["networks"]
    coarse, middle, fine = (networks[name]["mean_iou"] for name in ("32s, as long", "16s, as long", "FCN-8s"))
    return min(middle - coarse, fine - middle)


def _smaller_step_on_facades(records: Results) -> dict[int, float]:
    """The same of CMP's facades, where each was trained by itself, for as many epochs; by seed."""
    coarse, middle, fine = networks = ("03_fcn32s_pretrained", "FCN16s", "04_fcn8s")
    test: dict[int, dict[str, float]] = {}
    for record in records.values():
        asked = record["parameters"]
        network = asked.get("network", record["notebook"])
        if network in networks and asked["epochs"] == ALIKE:
            test.setdefault(record["seed"], {})[network] = record["test"]["mean_iou"]
    return {seed: min(of[middle] - of[coarse], of[fine] - of[middle]) for seed, of in test.items()}


def _times_saved(results: Results) -> float:
    """How many times longer a sliding classifier takes than one dense pass; 0 if not all sizes were answered."""
    measured = results[BACKBONES]["measured"]
    sizes = {(size["height"], size["width"]) for size in measured["any_size"]}
    dense = measured["dense"]
    return dense["sliding_seconds"] / dense["dense_seconds"] if len(sizes) >= ENOUGH_SIZES else 0.0


def _upsampling_surplus(results: Results) -> float:
    """Upsampling's share of a training step's time minus that of the convolutions, at full width.

    As the paper upsamples, by transposed convolutions; the notebook measures matrix products beside them.
    """
    shares = results[BACKBONES]["measured"]["cost_shares"]["full width"]
    return shares["upsampling"]["step"] - shares["convolution"]["step"]


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
        photographs=OtherRecords(
            ("cmp_windows", "photographs_seed0", "photographs_seed1", "photographs_seed2"),
            f"CMP facades, EfficientNet-Lite0, each by itself, {ALIKE} epochs",
            _smaller_step_on_facades,
        ),
    ),
    Claim(
        name="any-size",
        statement="One network takes any size, and one dense pass replaces many windows (sliding over dense time; "
        "several times: above 2)",
        source="FCN paper, abstract and section 3.1",
        published='"arbitrary size"; "more than 5 times faster" than a sliding classifier',
        notebooks=(BACKBONES,),
        figure=_times_saved,
        judge=above(SEVERAL),
        form=".1f",
        unit="times",
    ),
    Claim(
        name="upsampling-costly",
        statement="FCNs are costly because of the upsampling (the transposed convolutions' share of a training step, "
        "minus the other convolutions')",
        source="an introductory note on FCNs",
        published='"computationally intensive because of the upsampling layers"; no figure',
        notebooks=(BACKBONES,),
        figure=_upsampling_surplus,
    ),
)
