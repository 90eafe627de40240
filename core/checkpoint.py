"""Weights in and out: safetensors, which can't run code when it is read."""

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from core.errors import CourseError
from core.files import write_atomically


def save_weights(model: nn.Module, path: str | Path) -> None:
    """Writes the model's state as safetensors, with its `configuration` (if it has one) as JSON in the header."""
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    configuration = json.dumps(getattr(model, "configuration", {}))
    with writing(path) as temporary:
        save_file(state, temporary, metadata={"configuration": configuration})


def read_configuration(path: str | Path) -> dict:
    """The configuration in a weights file's header; empty if there is none.

    Raises:
        CourseError: there is no such file, or it isn't safetensors.
    """
    with _reading(path), safe_open(path, framework="pt") as file:
        return json.loads((file.metadata() or {}).get("configuration", "{}"))


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Reads weights into the model, strictly: every key must fit.

    Raises:
        CourseError: there is no such file, it isn't safetensors, or it belongs to another network.
    """
    with _reading(path):
        state = load_file(path)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise CourseError(
            f"The weights in {path} belong to another network: {str(error).splitlines()[1].strip()} "
            "Check the network's kind, width and number of classes."
        ) from error


@contextlib.contextmanager
def _reading(path: str | Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise CourseError(f"There are no weights at {path}; train first, or check the name.") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise CourseError(f"{path} is not a whole safetensors file ({error}); train or fetch it again.") from error


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """`write_atomically`, with what the libraries make of a full disk told as what it is."""
    with write_atomically(path) as temporary:
        try:
            yield temporary
        except (SafetensorError, RuntimeError) as error:
            raise OSError(str(error)) from error


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """One hash over a state dict: names, types, shapes and values."""
    digest = hashlib.sha256()
    for name, value in state.items():
        value = value.detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
