"""All that a training needs to resume as if it had never stopped, in a file that can't run code when it is read."""

import contextlib
import os
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import filelock
import torch
from torch import nn

from core.checkpoint import save_weights, writing
from core.errors import CourseError
from core.files import sha256

CHECKPOINT, BEST, BETTER = "checkpoint.pt", "best.safetensors", ".better.safetensors"
ANEW = "set resume to False to train anew"
# What torch, zipfile and a state of another form raise.
BROKEN = (OSError, EOFError, RuntimeError, ValueError, LookupError, TypeError, AttributeError)
BROKEN += (NotImplementedError, pickle.UnpicklingError, zipfile.BadZipFile)


class TrainingState:
    """The state of a training in a folder: `checkpoint.pt` after each epoch, `best.safetensors` after each better one.

    The checkpoint holds the hash of the best weights, so that files of two trainings are never taken together.

    Args:
        folder: for both files.
        model, optimiser, schedule: the parts that change as training goes on.
        origin: what must be equal for a checkpoint to be of this training.

    Attributes:
        history: one dict per finished epoch.
    """

    def __init__(
        self,
        folder: Path,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: torch.optim.lr_scheduler.LRScheduler,
        origin: dict,
    ) -> None:
        self.folder = folder
        self.parts = {"model": model, "optimiser": optimiser, "schedule": schedule}
        self.origin = origin
        self.history: list[dict] = []
        self.best: str | None = None  # the hash of best.safetensors

    def begin(self, resume: bool, epochs: int) -> list[dict]:
        """Reads the folder's checkpoint, if there is one and it is wanted; otherwise removes an earlier training.

        Returns:
            The history so far, to which finished epochs are appended.

        Raises:
            CourseError: the checkpoint is damaged, of another training or has more than `epochs`, or the best weights
                aren't its own.
        """
        if resume and (self.folder / CHECKPOINT).is_file():
            self._load()
        else:
            for name in (CHECKPOINT, BEST, BETTER):
                (self.folder / name).unlink(missing_ok=True)
        if len(self.history) > epochs:
            raise CourseError(
                f"The checkpoint in {self.folder} has {len(self.history)} epochs and epochs is {epochs}; "
                f"give at least {len(self.history)}, or {ANEW}."
            )
        return self.history

    def save(self, is_best: bool) -> None:
        """Writes the state, generators included, and the weights if they are the best so far.

        The better weights are renamed last. Whenever this is interrupted, the checkpoint that stands belongs to weights
        that are there, under one of the two names.
        """
        if is_best:
            save_weights(self.parts["model"], self.folder / BETTER)
            self.best = sha256(self.folder / BETTER)
        generators = {"cpu": torch.get_rng_state()}
        if torch.cuda.is_available():
            generators["cuda"] = torch.cuda.get_rng_state()
        state = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"history": self.history, "origin": self.origin, "best": self.best, "generators": generators}
        with writing(self.folder / CHECKPOINT) as temporary:
            torch.save(state, temporary)
        if is_best:
            os.replace(self.folder / BETTER, self.folder / BEST)

    def _load(self) -> None:
        path = self.folder / CHECKPOINT
        state = read_checkpoint(path)
        differing = [name for name, value in self.origin.items() if state["origin"].get(name) != value]
        if differing:
            raise CourseError(
                f"The checkpoint {path} is of another training, which differs in {', '.join(differing)}; "
                f"give the same, or {ANEW}."
            )
        self._put_best_in_place(state["best"])
        try:
            for name, part in self.parts.items():
                part.load_state_dict(state[name])
            torch.set_rng_state(state["generators"]["cpu"])
            if torch.cuda.is_available() and "cuda" in state["generators"]:
                torch.cuda.set_rng_state(state["generators"]["cuda"])
        except BROKEN as error:
            raise _broken(path) from error
        self.history, self.best = state["history"], state["best"]

    def _put_best_in_place(self, expected: str | None) -> None:
        """Finds the checkpoint's best weights, which an interruption may have left under their first name."""
        better, best = self.folder / BETTER, self.folder / BEST
        if better.is_file() and sha256(better) == expected:
            os.replace(better, best)
        better.unlink(missing_ok=True)
        if not best.is_file() or sha256(best) != expected:
            raise CourseError(f"{best} is not the file of best weights that belongs to {CHECKPOINT} beside it; {ANEW}.")


def read_checkpoint(path: Path) -> dict:
    """The state in a checkpoint.

    Raises:
        CourseError: the file is damaged, or no checkpoint of a training.
    """
    try:
        with zipfile.ZipFile(path) as archive:  # torch doesn't look at the checksums, so it loads flipped bits
            if archive.testzip() is not None:
                raise zipfile.BadZipFile("a wrong checksum")
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not isinstance(state["origin"], dict) or not isinstance(state["generators"], dict):
            raise TypeError("no dicts")
        if not all(isinstance(epoch["validation"], dict) for epoch in state["history"]):
            raise TypeError("no history")
        state["best"], state["model"], state["optimiser"], state["schedule"]
    except BROKEN as error:
        raise _broken(path) from error
    return state


def _broken(path: Path) -> CourseError:
    return CourseError(f"{path} is not a whole checkpoint of this kind of training; {ANEW}.")


@contextlib.contextmanager
def alone_in(folder: Path, what: str = "training") -> Iterator[None]:
    """Locks a folder, so that only one training (or whatever `what` says) writes there; a killed process unlocks it.

    Raises:
        CourseError: another training is writing there, or the folder can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(folder / ".lock", timeout=0)
        lock.acquire()
    except filelock.Timeout as error:
        raise CourseError(f"Another {what} is writing to {folder}; wait for it, or name another folder.") from error
    except OSError as error:
        raise CourseError(f"Cannot write to {folder}: {error.strerror or error}; name another folder.") from error
    try:
        yield
    finally:
        lock.release()
