"""Curves, bars, lines and tables hold what they are given; lines differ in more than their colour."""

import base64
import re

import pytest
from course_samples import record

from core import plotting
from core.plotting import (
    LINE_COLOURS,
    LINE_STYLES,
    curves,
    curves_over_seeds,
    grouped_bars,
    line_styles,
    lines,
    svg,
    table,
)


def test_curves_hold_the_histories_and_ring_the_kept_epoch():
    records = {"02": record("02", 0, [0.1, 0.2, 0.15]), "08": record("08", 0, [0.3])}
    for epoch in records["08"]["history"]:  # as a classifier's, which has no IoU
        del epoch["validation"]["mean_iou"]
    histories = {name: each["history"] for name, each in records.items()}
    loss, accuracy, iou = curves(histories, best={name: each["best_epoch"] for name, each in records.items()}).axes
    drawn = {line.get_label(): line.get_xydata().tolist() for line in iou.lines if line.get_linestyle() != "None"}
    assert drawn == {"02": [[1, 0.1], [2, 0.2], [3, 0.15]]}
    rings = [line.get_xydata().tolist() for line in iou.lines if line.get_linestyle() == "None"]
    assert rings == [[[2, 0.2]]]
    assert loss.lines[0].get_ydata().tolist() == [1, 1 / 2, 1 / 3]
    assert accuracy.lines[0].get_ydata().tolist() == [0.5, 0.5, 0.5]
    first, second = [line for line in loss.lines if line.get_linestyle() != "None"]
    assert first.get_color() != second.get_color() and first.get_linestyle() != second.get_linestyle()
    assert svg(curves(histories)) == svg(curves(histories))


def test_several_seeds_are_a_mean_in_a_band_of_one_deviation():
    seeds = [record("02", seed, values)["history"] for seed, values in enumerate(([0.1, 0.2, 0.9], [0.3, 0.2]))]
    iou = curves_over_seeds({"net": seeds}, best={}).axes[2]
    assert iou.lines[0].get_xydata().tolist() == [[1, pytest.approx(0.2)], [2, pytest.approx(0.2)]]  # not the third
    heights = iou.collections[0].get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == pytest.approx((0.2 - 0.02**0.5, 0.2 + 0.02**0.5))


def test_no_two_of_many_lines_look_the_same():
    styles = line_styles([str(number) for number in range(len(LINE_COLOURS) * len(LINE_STYLES))])
    assert len({tuple(style.values()) for style in styles.values()}) == len(styles)


def test_bars_and_lines_hold_their_values():
    axis = grouped_bars({"a": [0.5, None], "b": [0.2, 0.3]}, ["x", "y"], "IoU").axes[0]
    assert [bar.get_height() for bar in axis.patches] == pytest.approx([0.5, 0, 0.2, 0.3])
    assert [label.get_text() for label in axis.get_xticklabels()] == ["x", "y"]
    axis = lines({"a": ([1, 2], [3, 4])}, "x", "y", marked={"here": 1.5}, logarithmic=True).axes[0]
    assert axis.lines[0].get_xydata().tolist() == [[1, 3], [2, 4]] and axis.get_yscale() == "log"
    assert axis.lines[1].get_xdata()[0] == 1.5 and axis.get_xlabel() == "x"


def test_a_table_is_markdown():
    shown = table(["a", "b"], [["x", 0.12345], [3, None]]).data
    assert shown == "| a | b |\n| --- | --- |\n| x | 0.123 |\n| 3 | – |"


def test_shown_figure_carries_its_alt_text_and_is_a_png(monkeypatch):
    shown = []
    monkeypatch.setattr(plotting, "display", shown.append)
    plotting.show(grouped_bars({"a": [0.5, None]}, ["x", "y"], "IoU"), 'bars of "IoU"')
    html = shown[0].data
    assert 'alt="bars of &quot;IoU&quot;"' in html
    assert base64.b64decode(re.search('base64,([^"]+)', html)[1]).startswith(b"\x89PNG")
