"""course.teaching.grading.submissions and repair: whatever students hand in is graded, or named with the reason."""

import io
import json
import tarfile
import zipfile

import nbformat
import pytest
from grading_samples import AREA, NAME, RIGHT, answered

from core.errors import CourseError
from course.teaching.grading.repair import graded_cells
from course.teaching.grading.submissions import collect, student_name


def zipped(entries, method=zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(name, content) -> bytes:
    file, member = io.BytesIO(), tarfile.TarInfo(name)
    member.size = len(content)
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def damaged(method) -> bytes:
    """A zip whose directory is whole, with other bytes in the middle of what it holds."""
    content = bytearray(zipped({f"{NAME}.ipynb": json.dumps(list(range(5000)))}, method))
    content[len(content) // 3 : len(content) // 2] = b"\xff" * (len(content) // 2 - len(content) // 3)
    return bytes(content)


def encrypted(blank) -> bytes:
    content = bytearray(zipped({f"{NAME}.ipynb": nbformat.writes(blank)}))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.fixture
def hand_in(blank, tmp_path):
    """Writes files and collects them."""

    def collected(**files):
        for path, content in files.items():
            place = tmp_path / "in" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content if isinstance(content, bytes) else nbformat.writes(content).encode())
        return collect(tmp_path / "in", {NAME: blank}, tmp_path / "scratch")

    return collected


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_damaged_archive_costs_only_itself(hand_in, blank, method):
    ada, bob = hand_in(**{"Ada_7.zip": damaged(method), f"Bob_8/{NAME}.ipynb": blank})
    assert ada.notebook is None and f"{NAME}.ipynb (can't be unpacked" in ada.remark
    assert (bob.student, bob.name, bob.remark) == ("Bob_8", NAME, "")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip at all", zipped({"a.ipynb": b"{}"})[:-30]])
@pytest.mark.parametrize("name", ["Ada_7.zip", "Ada_7.tar.gz"])
def test_what_is_no_archive_is_told(hand_in, content, name):
    (found,) = hand_in(**{name: content})
    assert found.student == "Ada_7" and "can't be unpacked" in found.remark


def test_an_encrypted_zip_is_told(hand_in, blank):
    (found,) = hand_in(**{"Ada_7.zip": encrypted(blank)})
    assert found.notebook is None and "can't be unpacked" in found.remark and "encrypted" in found.remark


def test_what_can_be_graded_is_graded_in_whatever_form_it_comes(hand_in, blank, tmp_path):
    text = nbformat.writes(blank).encode()
    found = hand_in(
        **{
            f"Ada L_1_assignsubmission_file_/{'handin.zip'}": zipped({f"notebooks/{NAME}.ipynb": text}),
            "Bob_2_assignsubmission_file_handin.zip": zipped({f"work/{NAME} (1).ipynb": text}),
            f"Cyd_3_{NAME}.ipynb": text,
            f"Dan_4_{NAME}-1.ipynb": text,
            "Eve_5.tar.gz": tarred(f"../../{NAME}.ipynb", text),
            f"Fay_6/{NAME}.ipynb.txt": text,
            f"Gus_7/{NAME}.ipynb.json": text,
            f"Hal_8/{NAME}.IPYNB": text,
            "Ida_9.zip": zipped({f"C:\\work: 1\\{NAME}.ipynb": text, "../../evil.ipynb": b"{}"}),
            "Joe_10.zip": zipped({"inner.zip": zipped({f"{NAME}.ipynb": text})}),
        }
    )
    graded = {each.student for each in found if each.notebook}
    assert graded == {"Ada_L_1", "Bob_2", "Cyd_3", "Dan_4", "Eve_5", "Fay_6", "Gus_7", "Hal_8", "Ida_9", "Joe_10"}
    assert not [*tmp_path.glob("*.ipynb"), *tmp_path.parent.glob("*.ipynb")]  # nothing reached out of its folder


def test_every_file_that_is_not_graded_is_named(hand_in, blank):
    found = hand_in(
        **{
            f"Ada_1/{NAME}.ipynb": blank,
            f"Ada_1/copy/{NAME} (1).ipynb": blank,
            "Ada_1/photo.png": b"PNG",
            "Bob_2.7z": b"7z",
            "Cyd_3/=cmd|x.ipynb": b"no notebook",
        }
    )
    ada, *others, bob, cyd = found
    assert ada.notebook and bob.notebook is None and cyd.notebook is None
    assert any(f"{NAME} (1).ipynb (a second copy of {NAME})" in each.remark for each in others)
    assert any("photo.png (neither a notebook" in each.remark for each in others)
    assert bob.student == "Bob_2" and "Bob_2.7z (neither a notebook" in bob.remark
    assert "=cmd|x.ipynb is not a notebook: no JSON from line 1 on" in cyd.remark


def test_two_students_with_one_name_are_refused(hand_in, blank):
    with pytest.raises(CourseError, match="would be the same student"):
        hand_in(**{f"A B/{NAME}.ipynb": blank, f"A_B/{NAME}.ipynb": blank})


def changed(blank, change, **sources):
    notebook = json.loads(nbformat.writes(answered(blank, **sources)))
    change(notebook)
    return json.dumps(notebook).encode()


def without_metadata_of_outputs(notebook):
    notebook["cells"][2]["outputs"] = [{"output_type": "display_data", "data": {}}, {"output_type": "execute_result"}]
    del notebook["cells"][2]["execution_count"]


REPAIRED = {
    "BOM": lambda text: b"\xef\xbb\xbf" + text,
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "old minor version": lambda text: text.replace(b'"nbformat_minor": 5', b'"nbformat_minor": 2'),
    "extra key": lambda text: text.replace(b'"nbformat":', b'"more": 1, "nbformat":'),
    "half a character": lambda text: text.replace(b'"# 01_first"', b'"# \\ud800"'),
}


@pytest.mark.parametrize("repaired", REPAIRED.values(), ids=REPAIRED)
def test_what_can_be_repaired_is_repaired(hand_in, blank, repaired):
    text = changed(blank, without_metadata_of_outputs, **RIGHT)
    (found,) = hand_in(**{f"Ada_1/{NAME}.ipynb": repaired(text)})
    assert found.remark == "" and graded_cells(found.notebook)["c3"].source == AREA
    nbformat.validate(found.notebook)
    nbformat.writes(found.notebook).encode()


@pytest.mark.parametrize(
    "content, remark",
    [
        (b"", "no JSON from line 1 on"),
        (b'{"cells": [\n<<<<<<< HEAD\n]}', "no JSON from line 2 on"),
        (b"\xff\xfe{}", "is not"),
        (b"\x80\x81", "is not UTF-8 text"),
        (b"[" * 100_000, "is not a notebook"),
        (b"[1]", "it has no list of cells"),
        (b'{"cells": [{}]}', "cell 1 has no source"),
        (b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "has none of the graded cells"),
    ],
)
def test_what_is_no_notebook_of_the_course_is_told_in_a_sentence(hand_in, content, remark):
    (found,) = hand_in(**{f"Ada_1/{NAME}.ipynb": content})
    assert found.notebook is None and remark in found.remark


def test_parameters_tags_and_cells_become_the_released_ones(hand_in, blank):
    """No test is skipped by a tag, none is deleted, and nobody trains longer than the others."""

    def change(notebook):
        cells = {cell["id"]: cell for cell in notebook["cells"]}
        cells["c4"]["metadata"]["tags"], cells["c4"]["source"] = ["skip-execution"], "pass"
        notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] not in ("c5", "c6")]

    (found,) = hand_in(**{f"Ada_1/{NAME}.ipynb": changed(blank, change, c1="epochs = 1000")})
    assert list(graded_cells(found.notebook)) == list(graded_cells(blank))
    assert graded_cells(found.notebook)["c4"] == graded_cells(blank)["c4"]
    assert found.notebook.cells[1].source == blank.cells[1].source
    assert found.remark == "2 deleted cells were put back, empty or as released."


@pytest.mark.parametrize("lost", [("metadata",), ("metadata", "id")])
def test_parameters_without_their_tag_are_the_released_ones(hand_in, blank, lost):
    def change(notebook):
        cell = notebook["cells"][1]
        cell["source"] = "".join(cell["source"]).replace("epochs = 12", "epochs = 1000")
        cell |= {key: {} if key == "metadata" else "other" for key in lost}

    (found,) = hand_in(**{f"Ada_1/{NAME}.ipynb": changed(blank, change)})
    assert [cell.source for cell in found.notebook.cells].count(blank.cells[1].source) == 1
    assert "epochs = 1000" not in nbformat.writes(found.notebook) and "lost its tag" in found.remark


@pytest.mark.parametrize("ident", ["c3", "c4", "c7"])
def test_a_cell_that_was_copied_costs_at_most_its_own_exercise(hand_in, blank, ident):
    def copy(notebook):
        place = next(number for number, cell in enumerate(notebook["cells"]) if cell["id"] == ident)
        notebook["cells"].insert(place, notebook["cells"][place] | {"id": "another"})

    (found,) = hand_in(**{f"Ada_1/{NAME}.ipynb": changed(blank, copy, **RIGHT)})
    assert list(graded_cells(found.notebook)) == list(graded_cells(blank))
    assert len(found.notebook.cells) == len(blank.cells) + 1
    assert found.remark == f"Cell {ident} was there 2 times, copied or split; the last is graded."


@pytest.mark.parametrize(
    "name, student",
    [
        ("Ada Lovelace_123_assignsubmission_file_", "Ada_Lovelace_123"),
        ("1234.zip", "1234"),
        ("../x y", "x_y"),
        ("=-cmd", "cmd"),
        ("Zoe\u0308", "Zo\u00eb"),
    ],
)
def test_student_names(tmp_path, name, student):
    assert student_name(tmp_path / name) == student
