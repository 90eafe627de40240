"""Fetching against a server of this test's own, with small archives of every kind."""

import hashlib
import http.server
import io
import shutil
import stat
import tarfile
import threading
import zipfile

import numpy as np
import pytest
from tiny_imagenet_samples import write_tiny_imagenet
from torchvision.datasets.voc import DATASET_YEAR_DICT as YEARS
from voc_samples import TRAIN, VAL, write_sbd, write_voc

from core import download as download_module
from core.download import download
from core.errors import CourseError
from course.cli import main
from fcn import fetch
from fcn.fetch import MANIFEST, fetch_cmp, named_files, read_manifest

FILES = {
    f"{part}/cmp_{part[0]}000{n}.{kind}": f"{part} {n} {kind}".encode() * 5000
    for part in ("base", "extended")
    for n in (1, 2)
    for kind in ("jpg", "png")
}
BASE, EXTENDED = fetch.ARCHIVES


def archive(part: str, top: str = "", extra: list[tuple] = (), method: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as file:
        for name, data in FILES.items():
            if name.startswith(part):
                file.writestr(top + name, data)
        file.writestr(f"{top}{part}/readme.xml", "not in the manifest")
        for entry, data in extra:
            file.writestr(entry, data)
    return content.getvalue()


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `files`; the state is the class's, made anew for each test."""

    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        self.requests.append(name)
        content = self.files.get(name)
        if content is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: self.breaks_after])
        if self.silent is not None:
            self.silent.wait(20)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    files = {BASE: archive("base"), EXTENDED: archive("extended", "CMP/")}
    state = {"requests": [], "breaks_after": None, "silent": None, "files": files}
    handler = type("Handler", (Server,), state)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        handler.site = f"http://127.0.0.1:{listening.server_port}/facade/"
        yield handler
        listening.shutdown()


@pytest.fixture
def into(tmp_path):
    (tmp_path / "dataset").mkdir()
    return tmp_path / "dataset" / "data"


@pytest.fixture
def site(server, tmp_path, monkeypatch):
    """All data sets at the server, in the form they have at home; gives each one's archive."""
    manifest = tmp_path / "SHA256SUMS"
    manifest.write_text("".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in FILES.items()))
    monkeypatch.setattr(fetch_cmp, "__defaults__", (None, server.site, manifest))
    write_voc(tmp_path / "voc", {"train": TRAIN, "val": VAL})
    write_sbd(tmp_path / "sbd" / "benchmark_RELEASE" / "dataset", {"train": ["2008_1"], "val": ["2008_2"]})
    write_tiny_imagenet(tmp_path / "tiny" / "tiny-imagenet-200", monkeypatch)
    hashes = {}
    for name, kind in (("voc", "tar"), ("sbd", "gztar"), ("tiny", "zip")):
        packed = shutil.make_archive(tmp_path / f"{name}-archive", kind, tmp_path / name)
        packed = packed.replace(".tar.gz", ".tgz") if shutil.move(packed, packed.replace(".tar.gz", ".tgz")) else packed
        content = (tmp_path / packed).read_bytes()
        server.files[f"{name}.{packed.rsplit('.', 1)[-1]}"] = content
        hashes[name] = hashlib.md5(content).hexdigest()
    voc = YEARS["2007"] | {"url": f"{server.site}voc.tar", "md5": hashes["voc"]}
    monkeypatch.setitem(YEARS, "2007", voc)
    monkeypatch.setattr(fetch.SBDataset, "url", f"{server.site}sbd.tgz")
    monkeypatch.setattr(fetch.SBDataset, "md5", hashes["sbd"])
    monkeypatch.setattr(fetch, "TINY_IMAGENET", (f"{server.site}tiny.zip", hashes["tiny"]))
    return {"cmp": BASE, "voc": "voc.tar", "sbd": "sbd.tgz", "tinyimagenet": "tiny.zip"}


def course_data(name, into) -> int:
    return main(["data", name, "--into", str(into), *(["--year", "2007"] if name == "voc" else [])])


def content_of(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


NAMES = ["cmp", "voc", "sbd", "tinyimagenet"]
SAID = {
    "cmp": "8 files, all as in the manifest",
    "voc": "3 validation images of VOC 2007",
    "sbd": "SBD's images and label maps",
    "tinyimagenet": "270 photographs to train on and 6 to validate on",
}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_fetched_once_and_nothing_is_left_beside_it(server, site, into, capsys, name):
    assert course_data(name, into) == 0
    assert SAID[name] in capsys.readouterr().out
    assert [path.name for path in into.parent.iterdir()] == ["data"] and not list(into.rglob(".*"))
    server.requests.clear()
    before = content_of(into)
    assert course_data(name, into) == 0 and server.requests == [] and content_of(into) == before
    if name == "cmp":  # what the manifest names and nothing else
        assert before == FILES
    if name == "sbd":
        assert sorted(path.name for path in into.iterdir()) == ["cls", "img", "train.txt", "val.txt"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda content: None, "answers 404"),
        (lambda content: content[:-100], "isn't a whole zip archive|arrived damaged"),
        (lambda content: b"<html>moved</html>", "isn't a whole zip archive|arrived damaged"),
        (lambda content: content.replace(b"1 j", b"7 j")[:-1] + b"x", "isn't a whole zip archive|arrived damaged"),
    ],
    ids=["404", "truncated", "a page", "damaged"],
)
def test_damage_is_told_and_mended_by_the_next_run(server, site, into, capsys, name, damage, message):
    whole = server.files[site[name]]
    server.files[site[name]] = damage(whole)
    assert course_data(name, into) == 2
    error = capsys.readouterr().err
    assert any(words in error for words in message.split("|")) and error.count("\n") == 1
    assert not list(into.parent.iterdir()) or list(into.parent.iterdir()) == [into] and not content_of(into)
    server.files[site[name]] = whole
    assert course_data(name, into) == 0


@pytest.mark.parametrize("silent", [False, True])
def test_a_connection_that_breaks_or_falls_silent(server, site, into, monkeypatch, capsys, silent):
    monkeypatch.setattr(download_module, "TIMEOUT", 0.3)
    server.breaks_after, server.silent = 1000, threading.Event() if silent else None
    assert course_data("cmp", into) == 2
    if silent:
        server.silent.set()
    error = capsys.readouterr().err
    assert f"Cannot fetch {server.site}{BASE}" in error and error.count("\n") == 1
    assert not list(into.parent.iterdir())


def test_a_download_of_known_hash_is_whole_or_not_there(server, tmp_path):
    sha256 = hashlib.sha256(server.files[BASE]).hexdigest()
    (tmp_path / BASE).write_bytes(server.files[BASE][:1000])  # half of it, from elsewhere
    download(server.site + BASE, tmp_path / BASE, f"sha256:{sha256}")
    assert (tmp_path / BASE).read_bytes() == server.files[BASE]
    with pytest.raises(CourseError, match="arrived damaged; run this again"):
        download(server.site + BASE, tmp_path / "other.zip", "sha256:" + "0" * 64)
    assert not (tmp_path / "other.zip").exists()


@pytest.mark.parametrize("name", NAMES)
def test_an_interrupted_try_leaves_nothing_that_stops_the_next(server, site, into, monkeypatch, name):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(fetch, "_appear", killed)
        assert course_data(name, into) == 130
    assert not content_of(into.parent)
    left = into.parent / f".{into.name}.download" / "unpacked" / "benchmark_RELEASE" / "dataset" / "half"
    left.mkdir(parents=True)  # of a process that was killed
    assert course_data(name, into) == 0
    assert not list(into.rglob("half"))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_in_its_place_is_left_alone(server, site, into, capsys, name):
    into.write_text("mine")
    assert course_data(name, into) == 2
    assert "is a file; name a folder with --into" in capsys.readouterr().err and into.read_text() == "mine"
    into.unlink()
    place = {"voc": into / "VOCdevkit/VOC2007", "tinyimagenet": into / "tiny-imagenet-200"}.get(name, into)
    (place / "base").mkdir(parents=True)
    (place / "base" / "cmp_b0001.jpg").write_bytes(b"mine")
    assert course_data(name, into) == 2
    assert "isn't the" in (error := capsys.readouterr().err) or "is not there" in error
    assert list(content_of(into).values()) == [b"mine"] and server.requests == []


def test_a_file_that_differs_from_the_manifest_is_found(server, site, into, monkeypatch):
    monkeypatch.setitem(FILES, "base/cmp_b0002.png", b"another")
    server.files[BASE] = archive("base")
    with pytest.raises(CourseError, match="1 files from .* differ from .* such as base/cmp_b0002.png"):
        fetch_cmp(into)
    assert not into.exists()


def link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("base/cmp_b0001.jpg")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize("entry", ["../evil", "base/../../evil", "/evil", "..\\evil", "C:/evil", link()])
def test_a_zip_archive_writes_nowhere_else(server, site, into, tmp_path, entry):
    server.files[BASE] = archive("base", extra=[(entry, "../../secret")])
    if isinstance(entry, str):
        fetch_cmp(into)
        assert content_of(into) == FILES
    else:
        with pytest.raises(CourseError, match="differ from the manifest"):
            fetch_cmp(into)
    assert not list(tmp_path.rglob("*evil*"))


def test_a_tar_archive_writes_nowhere_else(server, site, into, tmp_path, monkeypatch, capsys):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as file:
        file.addfile(tarfile.TarInfo("../../evil"), io.BytesIO())
    server.files["voc.tar"] = content.getvalue()
    digest = hashlib.md5(content.getvalue()).hexdigest()
    monkeypatch.setitem(YEARS["2007"], "md5", digest)
    assert course_data("voc", into) == 2
    assert not list(tmp_path.rglob("*evil*")) and "error: " in capsys.readouterr().err


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_whatever_byte_is_wrong_in_a_zip_archive_it_is_one_sentence(tmp_path, method):
    whole, rng = archive("base", method=method), np.random.default_rng(0)
    heads = [place + offset for place in range(len(whole)) if whole[place : place + 2] == b"PK" for offset in range(46)]
    for place in rng.choice([*heads, *rng.integers(0, len(whole), len(heads))], 200, replace=False):
        content = bytearray(whole)
        content[min(place, len(whole) - 1)] ^= int(rng.integers(1, 256))
        (tmp_path / BASE).write_bytes(content)
        try:
            list(named_files(tmp_path / BASE, FILES))
        except CourseError as error:
            assert "isn't a whole zip archive" in str(error)


@pytest.mark.parametrize("name", NAMES)
def test_a_full_disk_is_one_sentence(server, site, into, monkeypatch, capsys, name):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    monkeypatch.setattr("shutil.copyfileobj", full)  # with which archives are unpacked
    monkeypatch.setattr("tarfile.copyfileobj", full)
    assert course_data(name, into) == 2
    error = capsys.readouterr().err
    assert "No space left on device; free some space or name another folder with --into" in error
    assert error.count("\n") == 1 and not content_of(into.parent)


def test_no_network_is_one_sentence(into, monkeypatch, capsys):
    monkeypatch.setattr(fetch_cmp, "__defaults__", (None, "http://127.0.0.1:9/", MANIFEST))
    assert main(["data", "cmp", "--into", str(into)]) == 2
    error = capsys.readouterr().err
    assert "Cannot fetch http://127.0.0.1:9/CMP_facade_DB_base.zip" in error and len(error.splitlines()) == 1


def test_unknown_names(capsys):
    assert main(["data", "voc", "--year", "2013"]) == 2
    assert 'There is no year of VOC\'s segmentation "2013"' in capsys.readouterr().err


def test_the_manifest_names_all_pairs():
    names = read_manifest(MANIFEST)
    assert len(names) == 2 * 606 and all(len(digest) == 64 for digest in names.values())
    assert sum(name.startswith("base/") for name in names) == 2 * 378
