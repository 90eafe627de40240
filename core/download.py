"""Downloading a file once, through pooch: whole and with the right hash, or not at all."""

import sys
from pathlib import Path

import pooch
import requests

from core.errors import CourseError

TIMEOUT = 30  # seconds without a byte


def download(address: str, target: Path, known_hash: str | None = None) -> None:
    """Downloads a file; does nothing if it is there (and has the hash).

    Args:
        address: http or https.
        target: where it is to lie.
        known_hash: such as "md5:…" or "sha256:…".

    Raises:
        CourseError: there is no network, no such file, the connection broke or fell silent, another hash came out, or
            the target can't be written.
    """
    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(timeout=TIMEOUT, progressbar=sys.stderr.isatty())
    try:
        pooch.retrieve(address, known_hash, target.name, target.parent, downloader=downloader)
    except requests.HTTPError as error:
        answer = f"{error.response.status_code} {error.response.reason}"
        raise CourseError(f"{address} answers {answer}; look whether it has moved.") from error
    except requests.RequestException as error:
        raise CourseError(f"Cannot fetch {address}: {error}; check the network and run this again.") from error
    except ValueError as error:
        raise CourseError(f"{target.name} from {address} arrived damaged; run this again.") from error
    except OSError as error:
        raise CourseError(
            f"Cannot write {target}: {error.strerror or error}; free some space or name another folder."
        ) from error
