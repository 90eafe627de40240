"""The claims about class activation maps: notebooks 06 and 07."""

from course.reporting.claims.claim import Claim, OtherRecords, Results

GRAD_CAM = "07_gradcam"
CONTROLS = ("random map", "centre blob", "wrong class", "random weights")


def _pointing_gain(results: Results) -> float:
    """By how much more often aligned CAM points at the object than the best control does."""
    pointing = results[GRAD_CAM]["measured"]["pointing"]
    return pointing["CAM, aligned"] - max(pointing[control] for control in CONTROLS)


def _pointing_gain_on_voc(records: Results) -> dict[int, float]:
    """The same on photographs, without the 15 pixels of tolerance, mean over VOC's classes; by seed."""
    tables = {record["seed"]: record["measured"]["table"] for record in records.values()}
    return {
        seed: table["CAM, aligned"]["pointing"] - max(table[control]["pointing"] for control in CONTROLS)
        for seed, table in tables.items()
    }


def _spread_gain(results: Results) -> float:
    """By how much the residual network's Grad-CAM is more spread out than the plain one's (entropy, 0 to 1)."""
    networks = results[GRAD_CAM]["measured"]["networks"]
    return networks["residual"]["spread"] - networks["plain"]["spread"]


CLAIMS = (
    Claim(
        name="cam-localises",
        statement="CAM highlights what matters for the prediction (pointing game, gain over the best of four controls)",
        source="the assignment; CAM paper, section 3.2",
        published="two pictures, by eye; no figure",
        notebooks=(GRAD_CAM,),
        figure=_pointing_gain,
        photographs=OtherRecords(
            ("voc2007_cam",), "VOC 2007, EfficientNet-Lite0, a linear head", _pointing_gain_on_voc
        ),
    ),
    Claim(
        name="resnet-diffuse",
        statement="Grad-CAM of a residual network is more diffuse than of a plain one (map entropy, difference)",
        source="the CNN and ResNet exercises",
        published="one cat, by eye, with the ResNet's last stage cut off",
        notebooks=(GRAD_CAM,),
        figure=_spread_gain,
    ),
)
