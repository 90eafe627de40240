"""VOC's boxes against torchvision's reading of the same files, and what is wrong with a file told in one sentence."""

import pytest
from torchvision.datasets import VOCDetection
from voc_samples import write_boxed_voc

from core.errors import CourseError
from fcn.voc import VOC_CLASSES, boxed_photographs, read_objects


@pytest.fixture
def root(tmp_path):
    write_boxed_voc(tmp_path, {"train": [[("dining table", (3, 4, 20, 25), False), ("dog", (1, 1, 9, 8), True)], []]})
    return tmp_path


def test_boxes_are_torchvisions_counted_from_0_with_the_end_left_out(root):
    (photograph, objects), (_, none) = boxed_photographs(root, "train", "2007")
    reference = VOCDetection(root, "2007", "train")[0][1]["annotation"]["object"]
    assert photograph.exists() and none == []
    for one, other in zip(objects, reference, strict=True):
        box = other["bndbox"]
        assert VOC_CLASSES[one.label].replace(" ", "") == other["name"]
        assert one.box == (int(box["xmin"]) - 1, int(box["ymin"]) - 1, int(box["xmax"]), int(box["ymax"]))
        assert one.difficult == (other["difficult"] == "1")
    assert objects[0].box == (3, 4, 20, 25)


@pytest.mark.parametrize(
    "text", ["", "<annotation><object>", "<annotation><object><name>yeti</name></object></annotation>"]
)
def test_a_damaged_annotation_is_one_sentence(root, text):
    path = root / "VOCdevkit/VOC2007/Annotations/000000.xml"
    path.write_text(text)
    with pytest.raises(CourseError, match="000000.xml cannot be read"):
        read_objects(path)


def test_a_list_that_is_not_there_is_named(root):
    with pytest.raises(CourseError, match="Main/val.txt is not there.*course data voc --year 2007"):
        boxed_photographs(root, "val", "2007")
    with pytest.raises(CourseError, match="is not there"):
        boxed_photographs(root / "nowhere", "train", "2007")
