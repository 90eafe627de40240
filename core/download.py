"""Fetching a file: a silent network ends in a sentence, and a broken download goes on where it stopped."""

import http.client
import urllib.error
import urllib.request
from pathlib import Path

from tqdm import tqdm

from core.errors import CourseError

CHUNK = 1 << 18  # bytes
TIMEOUT = 30  # seconds without a byte


def download(address: str, target: Path) -> None:
    """Downloads a file, going on from `<target>.part` if an earlier attempt left one; nothing if it is there.

    torchvision's and torch.hub's own downloads have no time-out and begin anew, which is why this one exists.

    Raises:
        CourseError: there is no network, no such file, or the connection broke; what came is kept. Or the file
            can't be written.
    """
    if target.exists():
        return
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        have = part.stat().st_size if part.exists() else 0
        _fetch(address, part, have)
        part.replace(target)
    except OSError as error:
        raise CourseError(
            f"Cannot write {target}: {error.strerror or error}; free some space or name another folder."
        ) from error


def _fetch(address: str, part: Path, have: int) -> None:
    """Receives what comes behind the first `have` bytes of the part."""
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # the part is no shorter than the file, but may not be its beginning
            part.unlink()
            _fetch(address, part, 0)
            return
        raise CourseError(f"{address} answers {error.code} {error.reason}; look whether it has moved.") from error
    except (urllib.error.URLError, TimeoutError, http.client.HTTPException, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise CourseError(f"Cannot reach {address}: {reason}; check the network and run this again.") from error
    with response:
        if response.status != 206:  # the server sends the whole file
            have = 0
        _receive(response, part, have)


def _receive(response: http.client.HTTPResponse, part: Path, have: int) -> None:
    coming = response.headers["Content-Length"]
    total = have + int(coming) if coming else None
    with (
        part.open("ab" if have else "wb") as file,
        tqdm(total=total, initial=have, unit="B", unit_scale=True, desc=part.stem, disable=None) as bar,
    ):
        while True:
            try:
                chunk = response.read(CHUNK)
            except (OSError, http.client.HTTPException):  # of the connection, not of the disk
                break
            if not chunk:
                break
            file.write(chunk)
            bar.update(len(chunk))
        received = file.tell()
    if total is not None and received < total:
        raise CourseError(
            f"The connection broke after {received} of {total} bytes of {part.stem}; run this again to go on from "
            "there."
        )
