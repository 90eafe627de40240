"""What the network of a record, its data and its weights are called in tables."""

from collections.abc import Mapping

from course.records.conditions import weights
from fcn.data_sets import DATA_SETS

# The network whose history and scores a notebook's record holds.
NETWORKS = {
    "01_facades": "first FCN",
    "02_fcn32s_scratch": "FCN-32s",
    "03_fcn32s_pretrained": "FCN-32s",
    "04_fcn8s": "FCN-8s",
    "09_digit_surgery": "fcn8 of digits, then scenes",
    "10_fcn_backbones": "FCN-32s, VGG-16",
    "11_fcn_skips": "FCN-8s in stages",
    "12_photographs": "FCN-8s, EfficientNet-Lite0",
}
BACKBONES = {
    "alexnet": "AlexNet",
    "vgg16": "VGG-16",
    "googlenet": "GoogLeNet",
    "efficientnet_lite0": "EfficientNet-Lite0",
}
DATA = {name: entry.title for name, entry in DATA_SETS.items()} | {"builtin digits": "built-in digits"}
WEIGHTS = {"imagenet": "ImageNet weights", "course": "small course weights"}


def network(record: Mapping) -> str:
    """The network, its trunk and what it started from, such as "FCN-8s, VGG-16 × 0.125, small course weights"."""
    parameters = record["parameters"]
    parts = [parameters.get("network") or NETWORKS.get(record["notebook"], record["notebook"])]
    if backbone := parameters.get("backbone"):
        parts.append(BACKBONES.get(backbone, backbone))
    # All that EfficientNet-Lite0 has is its published width.
    if parameters.get("width", 1.0) != 1.0 and backbone != "efficientnet_lite0":
        parts[-1] += f" × {parameters['width']:g}"
    if "init" in parameters:
        parts.append("from scratch" if parameters["init"] != "zero" else "all convolutions zero")
    elif (loaded := weights(record)) in WEIGHTS or parameters.get("weights") == "none":
        parts.append(WEIGHTS.get(loaded, "from scratch"))
    return ", ".join(parts)
