"""The claims about plain and residual networks: notebook 08."""

import math

from course.reporting.claims.claim import Claim, NotMeasured, OtherRecords, Results

RESIDUAL = "08_plain_vs_residual"
EXERCISES = "the CNN and ResNet exercises"
LONG = 12  # epochs, those of the recorded trainings; after fewer a difference is one of speed


def _measured(results: Results) -> dict:
    return results[RESIDUAL]["measured"]


def _accuracy(results: Results, kind: str, depth: int, split: str) -> float:
    return _measured(results)["accuracy"][f"{kind} {depth}"][split]


def _depths(results: Results) -> tuple[int, int]:
    shallow, deep = results[RESIDUAL]["parameters"]["depths"]
    return shallow, deep


def _lost(results: Results, setting: str) -> float:
    """Orders of magnitude between the last and the first block's weight gradient before training; < 0 if it grows."""
    ends = _measured(results)["gradients"][setting]
    return ends["late"] - ends["early"]


def _accuracy_gain(results: Results) -> float:
    deep = _depths(results)[1]
    return _accuracy(results, "residual", deep, "test") - _accuracy(results, "plain", deep, "test")


def _gain_in_the_end(results: Results) -> float:
    if results[RESIDUAL]["parameters"]["epochs"] < LONG:
        raise NotMeasured("notebook 08 ran too short")
    return _accuracy_gain(results)


def _recorded_gain(records: Results) -> dict[int, float]:
    """By how much the residual network's test accuracy exceeds the plain one's, by seed, without a notebook."""
    accuracy = {
        (record["parameters"]["shortcut"], record["seed"]): record["test"]["accuracy"] for record in records.values()
    }
    return {
        seed: accuracy["identity", seed] - accuracy["none", seed] for shortcut, seed in accuracy if shortcut == "none"
    }


def _degradation(results: Results) -> float:
    """Training error of the deep plain network minus the shallow one's."""
    shallow, deep = _depths(results)
    return _accuracy(results, "plain", shallow, "train") - _accuracy(results, "plain", deep, "train")


def _skips(results: Results) -> float:
    """Orders of magnitude that the early layer's gradient has more with shortcuts, in the published setting."""
    ends = _measured(results)["gradients"]
    return (
        ends["tanh, no BatchNorm, torch, Residual, 35"]["early"] - ends["tanh, no BatchNorm, torch, CNN, 35"]["early"]
    )


def _tanh(results: Results) -> float:
    """Orders lost in a plain tanh network with Xavier's initialisation, minus those that torch's default adds."""
    xavier = _lost(results, "tanh, no BatchNorm, xavier, CNN, 35")
    return xavier - (_lost(results, "tanh, no BatchNorm, torch, CNN, 35") - xavier)


def _level(results: Results) -> float:
    """One order of magnitude, less those by which the gradient of a plain network with BatchNorm changes."""
    return 1 - abs(_lost(results, "ReLU, BatchNorm, torch, CNN, 53"))


def _bigger(results: Results) -> float:
    """log10 of the early layer's gradient (mean over minibatches), plain over residual."""
    noise = _measured(results)["noise"]
    return math.log10(noise["CNN early"]["norm"] / noise["Residual early"]["norm"])


def _noisier(results: Results) -> float:
    """log10 of the relative spread over minibatches, plain over residual, mean of an early and a late layer.

    Both, as the early layer's gradient is close to pure noise in either network, where the measure ends.
    """
    noise = _measured(results)["noise"]
    return sum(
        math.log10(noise[f"CNN {layer}"]["relative"] / noise[f"Residual {layer}"]["relative"]) / 2
        for layer in ("early", "late")
    )


CLAIMS = (
    Claim(
        name="residual-accuracy",
        statement="A residual network ends up better than a plain one of the same depth (test accuracy, gain after "
        f"{LONG} epochs or more)",
        source=EXERCISES,
        published="0.85 against 0.77 (35 layers, CIFAR-10, 50 epochs, one run, augmented test set)",
        notebooks=(RESIDUAL,),
        figure=_gain_in_the_end,
        drawings=OtherRecords(("residual_builtin",), "built-in shapes, 20 layers, 12 epochs", _recorded_gain),
    ),
    Claim(
        name="residual-faster",
        statement="A residual network learns faster than a plain one of the same depth (test accuracy, gain after the "
        "notebook's few epochs; 20 layers)",
        source="He et al., section 4.1",
        published="at 18 layers as good in the end, but sooner there, by curves (ImageNet)",
        notebooks=(RESIDUAL,),
        figure=_accuracy_gain,
        photographs=OtherRecords(("cifar10_jpeg",), "CIFAR-10 in a JPEG copy, 20 layers, 5 epochs", _recorded_gain),
    ),
    Claim(
        name="skips-keep-gradients",
        statement="Shortcuts stop the gradient from vanishing (tanh, no BatchNorm, default initialisation, 35 layers: "
        "orders of magnitude gained at the early layer)",
        source=EXERCISES,
        published="0.03 against 2e-10; 0.02 against 6e-15 at 53",
        notebooks=(RESIDUAL,),
        figure=_skips,
        form="+.1f",
        unit="orders",
    ),
    Claim(
        name="tanh-vanishes",
        statement="Tanh and depth made it vanish, not the initialisation (orders lost with Xavier's initialisation "
        "minus those that the default adds)",
        source=EXERCISES,
        published="the initialisation isn't spoken of",
        notebooks=(RESIDUAL,),
        figure=_tanh,
        form="+.1f",
        unit="orders",
    ),
    Claim(
        name="bn-keeps-signals",
        statement="BatchNorm and ReLU keep the backward signal's size in plain networks (53 layers: one order of "
        "magnitude minus the change from output to input)",
        source=f"{EXERCISES}, after He et al., section 4.1",
        published="no sign of vanishing at 35 layers, by eye",
        notebooks=(RESIDUAL,),
        figure=_level,
        form="+.1f",
        unit="orders",
    ),
    Claim(
        name="plain-bigger",
        statement="A plain network's gradients are bigger (early layer, 35 layers with BatchNorm, before training: "
        "log10 of the ratio of the means' norms)",
        source=EXERCISES,
        published="plots of the whole gradient's norm",
        notebooks=(RESIDUAL,),
        figure=_bigger,
        form="+.2f",
    ),
    Claim(
        name="plain-noisier",
        statement="A plain network's gradients are noisier (log10 of the ratio of the spreads over minibatches, each "
        "relative to its mean; an early and a late layer)",
        source=EXERCISES,
        published="plots of the standard deviation across tensors, which is not noise",
        notebooks=(RESIDUAL,),
        figure=_noisier,
        form="+.2f",
    ),
    Claim(
        name="degradation",
        statement="Deeper plain networks train worse (training error, 20 layers minus 8, same short training)",
        source="He et al., section 4.2",
        published="56 layers above 20 throughout, by curves",
        notebooks=(RESIDUAL,),
        figure=_degradation,
    ),
)
