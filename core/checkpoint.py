"""Saving and loading: weights as safetensors, a training's whole state as a checkpoint to go on from.

Neither can run code when it is read: safetensors holds tensors only, and checkpoints are read with weights_only.
"""

import contextlib
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from core.errors import CourseError
from core.files import write_atomically


def save_weights(model: nn.Module, path: str | Path) -> None:
    """Writes the model's state as safetensors, with its `configuration` (if it has one) as JSON in the header."""
    state = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    configuration = json.dumps(getattr(model, "configuration", {}))
    with _writing(path) as temporary:
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
def _writing(path: str | Path) -> Iterator[Path]:
    with write_atomically(path) as temporary:
        try:
            yield temporary
        except (SafetensorError, RuntimeError) as error:  # what the libraries make of a full disk
            raise OSError(str(error)) from error


class TrainingState:
    """All that a training needs to go on as if it had never stopped.

    Attributes:
        history: one dict per finished epoch.
        configuration: what must be equal for a checkpoint to be of this training.
    """

    def __init__(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.ReduceLROnPlateau,
        configuration: dict,
    ) -> None:
        self.parts = {"model": model, "optimiser": optimiser, "schedule": schedule}
        self.configuration = configuration
        self.history: list[dict] = []

    def save(self, path: str | Path) -> None:
        """Writes the state, generators included."""
        generators = {"cpu": torch.get_rng_state()}
        if torch.cuda.is_available():
            generators["cuda"] = torch.cuda.get_rng_state()
        with _writing(path) as temporary:
            torch.save(
                {
                    **{name: part.state_dict() for name, part in self.parts.items()},
                    "history": self.history,
                    "configuration": self.configuration,
                    "generators": generators,
                },
                temporary,
            )

    def load(self, path: str | Path) -> None:
        """Takes the state back; without a file it stays as it is.

        Raises:
            CourseError: the file is damaged or of another configuration.
        """
        if not Path(path).is_file():
            return
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            stored = state["configuration"]
        except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
            raise CourseError(f"{path} is not a whole checkpoint; remove it and train anew.") from error
        differing = [key for key, value in self.configuration.items() if stored.get(key) != value]
        if differing:
            raise CourseError(
                f"The checkpoint {path} was trained with another {', '.join(differing)}; "
                "use the same configuration, or set resume to False to train anew."
            )
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        self.history = state["history"]
        torch.set_rng_state(state["generators"]["cpu"])
        if torch.cuda.is_available() and "cuda" in state["generators"]:
            torch.cuda.set_rng_state(state["generators"]["cuda"])
