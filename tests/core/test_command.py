"""How commands end: one status and one sentence for each kind of end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from core import command
from core.command import Failed, Interrupted, finish
from core.errors import CourseError, check_name
from core.files import ROOT
from course.cli import COMMANDS, main

PHOTOGRAPH = str(ROOT / "files" / "photographs" / "chelsea.png")


def ends(error: BaseException | None):
    def run():
        if error is not None:
            raise error

    return run


@pytest.mark.parametrize(
    "error, status, said",
    [
        (None, 0, ""),
        (Failed("02 stopped"), 1, "error: 02 stopped\n"),
        (CourseError("give another"), 2, "error: give another\n"),
        (Interrupted("stopped in 02"), 130, "error: stopped in 02\n"),
        (KeyboardInterrupt(), 130, "error: Interrupted; nothing half-written was left, so simply run it again.\n"),
    ],
)
def test_each_kind_of_end_has_its_status(capsys, error, status, said):
    assert finish(ends(error)) == status
    assert capsys.readouterr().err == said


def test_a_reader_that_goes_away_ends_it_quietly():
    code = "import sys; from core.command import finish; sys.exit(finish(lambda: [print(n) for n in range(10**6)]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    assert process.wait(60) == 0 and process.stderr.read() == ""


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "cp437", "cp1252"])
def test_a_character_that_the_terminal_lacks_ends_nothing(tmp_path, encoding):
    """Names of files may be any bytes, such as an é in Latin-1."""
    photograph = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(photograph)).write_text("no image")
    code = "import sys; from core.command import finish; sys.exit(finish(lambda: print(sys.argv[1], '×')))"
    for words, status in ((["-c", code, photograph], 0), (["-m", "course", "explain", photograph], 2)):
        environment = os.environ | {"PYTHONIOENCODING": encoding}
        ended = subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True)
        assert ended.returncode == status and b"Traceback" not in ended.stderr and b"caf" in ended.stdout + ended.stderr
    ended = subprocess.run([sys.executable, "-m", "course", "--help"], cwd=ROOT, env=environment, capture_output=True)
    assert ended.returncode == 0 and b"usage: course COMMAND" in ended.stdout and ended.stderr == b""


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"]])
def test_nobody_reads_the_help(words):
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(
        [sys.executable, "-m", "course", *words], cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert ended.returncode == 0 and ended.stderr == ""


def test_help_lists_every_command_without_waiting_for_torch():
    code = "import sys; from course.cli import main; main(['--help']); sys.exit('torch' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0 and all(name in ended.stdout for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0 and f"usage: course {name}" in capsys.readouterr().out


def test_ctrl_c_while_packages_are_imported(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("course.cli.importlib.import_module", interrupted)
    assert main(["train", "FCN8s"]) == 130
    assert capsys.readouterr().err.startswith("error: Interrupted")


def test_home_is_meant_behind_an_equals_sign_too(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    given = ["--out=~/seg", "--data=~", "~/own", "FCN-8s=~/w.st", "a~/b", "--class=~x", "x/~/y"]
    home = [f"--out={tmp_path}/seg", f"--data={tmp_path}", f"{tmp_path}/own", f"FCN-8s={tmp_path}/w.st"]
    assert command.words(given) == [*home, "a~/b", "--class=~x", "x/~/y"]
    (tmp_path / "file").touch()
    assert main(["explain", PHOTOGRAPH, "--out=~/file/x/map.png"]) == 2
    assert f"Cannot write to {tmp_path / 'file' / 'x'}" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["run", "grade here --out there", "sweep --out there"])
@pytest.mark.parametrize("number", ["0", "-1", "x"])
def test_jobs_are_a_number_from_1(words, number, capsys):
    assert main([*words.split(), "--jobs", number]) == 2
    assert capsys.readouterr().err == f"error: --jobs is {number}; give how many run at a time, from 1.\n"


def test_a_students_copy_has_no_commands_for_instructors(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("course.cli.__file__", str(tmp_path / "cli.py"))
    assert main(["--help"]) == 0 and not {"grade", "release", "slides"} & set(capsys.readouterr().out.split())
    assert main(["grade", "x"]) == 2


def test_an_unknown_command_gets_the_nearest(capsys):
    assert main(["segmnt"]) == 2
    assert 'There is no command "segmnt"; did you mean "segment"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    "name, hint",
    [
        ("VGG-16", 'did you mean "vgg16"?'),
        ("unet", "choose one of vgg16, alexnet."),
    ],
)
def test_the_error_for_an_unknown_name(name, hint):
    with pytest.raises(CourseError) as raised:
        check_name("backbone", name, ["vgg16", "alexnet"])
    assert str(raised.value) == f'There is no backbone "{name}"; {hint}'
    with pytest.raises(CourseError, match="or 988 others"):
        check_name("class", "zzzzzzz", [f"{n:03}" for n in range(1000)])


@pytest.mark.parametrize(
    "words",
    [
        ["train", "FCN8s", "--out", "{}"],
        ["segment", PHOTOGRAPH, "--out", "{}"],
        ["explain", PHOTOGRAPH, "--out", "{}/map.png"],
        ["residual", "gradients", "--model", "residual53", "--out", "{}/plot.png"],
        ["digits", "--model", "fcn8", "--mode", "train", "--out", "{}"],
        ["digits", "--model", "fcn8", "--mode", "test", "--out", "{}"],
        ["release", "{}"],
    ],
    ids=lambda words: " ".join(word for word in words[:4] if word != PHOTOGRAPH),
)
def test_a_place_that_cannot_be_written_to_is_found_before_the_work(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(torch.nn.Module, "__call__", lambda *_args, **_named: pytest.fail("a network ran"))
    (tmp_path / "file").touch()
    assert main([word.format(tmp_path / "file" / "x") for word in words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: Cannot write") and error.count("\n") == 1
