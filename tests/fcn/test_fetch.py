"""Fetching against a server of this test's own, with small archives."""

import errno
import functools
import hashlib
import http.server
import io
import re
import stat
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.download import download
from core.errors import CourseError
from course.__main__ import main
from fcn.archives import unpack
from fcn.fetch import MANIFEST, fetch_cmp, read_manifest

FILES = {
    f"{part}/cmp_{part[0]}000{n}.{kind}": f"{part} {n} {kind}".encode() * 5000
    for part in ("base", "extended")
    for n in (1, 2)
    for kind in ("jpg", "png")
}


BASE = "CMP_facade_DB_base.zip"


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
        self.requests.append((self.path.rsplit("/", 1)[-1], self.headers["Range"]))
        content = self.files.get(self.path.rsplit("/", 1)[-1])
        if content is None:
            return self.send_error(404)
        first = int(self.headers["Range"][6:-1]) if self.headers["Range"] and self.ranges else 0
        if first and first >= len(content):
            return self.send_error(416)
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first : self.breaks_after])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    handler = type(
        "Handler",
        (Server,),
        {
            "requests": [],
            "ranges": True,
            "breaks_after": None,
            "files": {BASE: archive("base"), "CMP_facade_DB_extended.zip": archive("extended", "CMP/")},
        },
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        handler.site = f"http://127.0.0.1:{listening.server_port}/facade/"
        yield handler
        listening.shutdown()


@pytest.fixture
def fetch(server, tmp_path):
    manifest = tmp_path / "SHA256SUMS"
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in FILES.items()]
    manifest.write_text("".join(lines))
    (tmp_path / "dataset").mkdir()
    return functools.partial(fetch_cmp, tmp_path / "dataset" / "cmp", server.site, manifest)


def content_of(folder):
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_everything_in_the_manifest_and_nothing_else_is_unpacked(fetch, tmp_path, capsys):
    fetch()
    assert content_of(tmp_path / "dataset") == {f"cmp/{name}": data for name, data in FILES.items()}
    assert "8 files, all as in the manifest" in capsys.readouterr().out


def test_what_is_complete_is_left_alone(fetch, server, capsys):
    fetch()
    server.requests.clear()
    fetch()
    assert server.requests == []
    assert "is complete: 8 files" in capsys.readouterr().out


def test_a_broken_download_goes_on_where_it_stopped(fetch, server, tmp_path):
    server.breaks_after = 1000
    with pytest.raises(CourseError, match=rf"broke after 1000 of \d+ bytes of {BASE}; run this again"):
        fetch()
    assert not (tmp_path / "dataset" / "cmp").exists()
    server.breaks_after = None
    fetch()
    assert server.requests[1] == (BASE, "bytes=1000-")
    assert len(content_of(tmp_path / "dataset")) == len(FILES)


@pytest.mark.parametrize("ranges", [True, False], ids=["resumes", "starts over"])
def test_the_file_is_whole_whether_or_not_the_server_can_resume(server, tmp_path, ranges):
    # Held against the bytes: zip readers would pass over a wrong beginning.
    (tmp_path / f"{BASE}.part").write_bytes(server.files[BASE][:1000])
    server.ranges = ranges
    download(server.site + BASE, tmp_path / BASE)
    assert (tmp_path / BASE).read_bytes() == server.files[BASE]


def test_a_part_as_long_as_the_file_is_fetched_anew(fetch, server, tmp_path):
    part = tmp_path / "dataset" / ".cmp.download" / "CMP_facade_DB_base.zip.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * len(server.files[BASE]))
    fetch()
    assert len(content_of(tmp_path / "dataset")) == len(FILES)


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda files: files.pop("CMP_facade_DB_extended.zip"), "extended.zip answers 404"),
        (lambda files: files.update({BASE: files[BASE][:-100]}), "isn't a whole zip archive"),
        (lambda files: files.update({BASE: b"<html>moved</html>"}), "isn't a whole zip archive"),
        (lambda files: files.update({BASE: files[BASE].replace(b"1 j", b"7 j")}), "isn't a whole zip archive"),
        (lambda files: files.update({BASE: archive("nothing")}), "4 files .* such as base/cmp_b0001.jpg"),
    ],
    ids=["404", "truncated", "a page", "damaged", "incomplete"],
)
def test_damage_is_told_and_mended_by_the_next_run(fetch, server, tmp_path, damage, message):
    whole = dict(server.files)
    damage(server.files)
    with pytest.raises(CourseError, match=message):
        fetch()
    assert not (tmp_path / "dataset" / "cmp").exists()
    server.files.update(whole)
    fetch()
    assert len(content_of(tmp_path / "dataset")) == len(FILES)


def test_a_file_that_differs_from_the_manifest_is_found(fetch, server, tmp_path, monkeypatch):
    monkeypatch.setitem(FILES, "base/cmp_b0002.png", b"another")
    server.files[BASE] = archive("base")
    with pytest.raises(CourseError, match="1 files from .* differ from .* such as base/cmp_b0002.png"):
        fetch()
    assert not (tmp_path / "dataset" / "cmp").exists()


def link():
    entry = zipfile.ZipInfo("base/link.jpg")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize("entry", ["../evil", "base/../../evil", "/evil", "..\\evil", "C:/evil", link()])
def test_an_archive_that_would_write_elsewhere_is_refused(fetch, server, tmp_path, entry):
    server.files[BASE] = archive("base", extra=[(entry, "../../secret")])
    with pytest.raises(CourseError, match="holds a (path that leaves its folder|link), .*nothing of it"):
        fetch()
    assert not list(tmp_path.rglob("*evil*")) and not list(tmp_path.rglob("*.jpg"))


def test_a_folder_with_other_things_is_left_alone(fetch, tmp_path):
    (tmp_path / "dataset" / "cmp" / "base").mkdir(parents=True)
    (tmp_path / "dataset" / "cmp" / "base" / "cmp_b0001.jpg").write_bytes(b"mine")
    with pytest.raises(CourseError, match=r"isn't the complete data set \(8 files are missing or differ"):
        fetch()
    assert content_of(tmp_path / "dataset") == {"cmp/base/cmp_b0001.jpg": b"mine"}


def test_no_network_is_one_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(fetch_cmp, "__defaults__", (None, "http://127.0.0.1:9/", MANIFEST))
    assert main(["data", "cmp", "--into", str(tmp_path / "cmp")]) == 2
    error = capsys.readouterr().err
    assert "Cannot reach http://127.0.0.1:9/CMP_facade_DB_base.zip" in error and len(error.splitlines()) == 1


def test_the_manifest_names_all_pairs():
    names = read_manifest(MANIFEST)
    assert len(names) == 2 * 606 and all(len(digest) == 64 for digest in names.values())
    assert sum(name.startswith("base/") for name in names) == 2 * 378


def test_an_archive_that_cannot_be_read_is_removed_so_that_it_is_fetched_anew(tmp_path):
    names = dict.fromkeys(FILES, "")
    encrypted, unknown = bytearray(archive("base")), bytearray(archive("base"))
    for header, flags, method in ((b"PK\x03\x04", 6, 8), (b"PK\x01\x02", 8, 10)):
        for start in (match.start() for match in re.finditer(header, archive("base"))):
            encrypted[start + flags] |= 1
            unknown[start + method] = 99
    for content in (encrypted, unknown):
        (tmp_path / BASE).write_bytes(content)
        with pytest.raises(CourseError, match="isn't a whole zip archive .*run this again to download it anew"):
            unpack(tmp_path / BASE, tmp_path / "out", names)
        assert not (tmp_path / BASE).exists()


def test_an_archive_that_swells_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("fcn.archives.LARGEST", 100_000)
    with zipfile.ZipFile(tmp_path / BASE, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("base/cmp_b0001.jpg", b"0" * 10_000_000)
    with pytest.raises(CourseError, match="10 MB, where at most 0 belong; nothing of it was unpacked"):
        unpack(tmp_path / BASE, tmp_path / "out", dict.fromkeys(FILES, ""))
    assert not (tmp_path / "out").exists() and not (tmp_path / BASE).exists()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_whatever_byte_is_wrong_the_archive_is_whole_or_removed(tmp_path, method):
    """No byte that is turned, in the data or in the headers, ends in a traceback or in advice about the disk."""
    names, whole = dict.fromkeys(FILES, ""), archive("base", method=method)
    rng = np.random.default_rng(0)
    headers = [match.start() for match in re.finditer(b"PK", whole)]
    places = [start + offset for start in headers for offset in range(4, 46) if start + offset < len(whole)]
    for place in rng.choice([*places, *rng.integers(0, len(whole), len(places))], 200, replace=False):
        content = bytearray(whole)
        content[place] ^= int(rng.integers(1, 256))
        (tmp_path / BASE).write_bytes(content)
        try:
            unpack(tmp_path / BASE, tmp_path / "out", names)
        except CourseError as error:
            assert "isn't a whole zip archive" in str(error) or "nothing of it was unpacked" in str(error)
            assert not (tmp_path / BASE).exists()


def test_a_full_disk_does_not_speak_against_the_archive(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / BASE).write_bytes(archive("base"))
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CourseError, match="Cannot write to .*No space left on device; free some space"):
        unpack(tmp_path / BASE, tmp_path / "out", dict.fromkeys(FILES, ""))
    assert (tmp_path / BASE).exists()
