"""A training that several processes share, as torchrun starts them; where there is one, nothing here does anything.

Each process computes on its share of every batch, gradients are summed, and all take the same step. The first process
draws and writes; the others are told.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

import torch
import torch.distributed
from torch import Tensor, nn

from core.command import Failed
from core.errors import CourseError

Item = TypeVar("Item")

SET_BY_TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def count() -> int:
    """How many processes share the training."""
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


def rank() -> int:
    """Which of them this one is, from 0."""
    return torch.distributed.get_rank() if torch.distributed.is_initialized() else 0


@contextlib.contextmanager
def joined() -> Iterator[None]:
    """Joins the processes that torchrun started; of a mistake that all of them find, one of them speaks.

    Raises:
        CourseError: WORLD_SIZE is set by something other than torchrun, or there are fewer GPUs than processes.
        SystemExit: another process says what is wrong.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        yield
        return
    _choose_gpu()
    # A store that outlives a killed process, since torchrun holds it.
    store, own, size = next(torch.distributed.rendezvous("env://"))
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    torch.distributed.init_process_group(backend, store=store, rank=own, world_size=size)
    try:
        yield
    except (CourseError, Failed, KeyboardInterrupt) as error:
        if store.add("spoken", 1) > 1:
            raise SystemExit(1) from error
        raise
    torch.distributed.destroy_process_group()


def _choose_gpu() -> None:
    missing = [name for name in SET_BY_TORCHRUN if name not in os.environ]
    if missing:
        raise CourseError(
            f"WORLD_SIZE is {os.environ['WORLD_SIZE']} but {missing[0]} is not set; start several processes with "
            "`torchrun --nproc-per-node N -m course train …`, or unset WORLD_SIZE."
        )
    if torch.backends.mps.is_available():
        raise CourseError("An Apple GPU serves one process; start `python -m course train …` without torchrun.")
    if torch.cuda.is_available():
        here = int(os.environ["LOCAL_WORLD_SIZE"])
        if here > torch.cuda.device_count():
            raise CourseError(
                f"There are {here} processes and {torch.cuda.device_count()} GPUs on this machine; give torchrun "
                f"--nproc-per-node {torch.cuda.device_count()}."
            )
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))


def share(items: Sequence[Item]) -> Sequence[Item]:
    """This process's part of what is to be done; the parts differ by at most one in length."""
    return items[rank() :: count()]


def agreed(value: Item) -> Item:
    """What the first process has in the place of this value; waits for it.

    Args:
        value: of plain types.
    """
    if count() == 1:
        return value
    told = [value]
    with _together():
        torch.distributed.broadcast_object_list(told, src=0)
    return told[0]


def gathered(numbers: Sequence[int]) -> list[list[int]]:
    """The whole numbers of every process, in the processes' order; they come from the CPU and wait for no GPU."""
    if count() == 1:
        return [list(numbers)]
    own = torch.tensor(numbers, dtype=torch.int64)
    each = [torch.empty_like(own) for _ in range(count())]
    with _together():
        torch.distributed.all_gather(each, own)
    return [one.tolist() for one in each]


def sum_gradients(parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
    """Replaces each process's gradients, of its share of the loss, by their sum, and returns the sum of the losses."""
    if count() == 1:
        return loss
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    loss = loss.clone()
    _sum_in_place([*gradients, loss])
    return loss


def average_buffers(model: nn.Module) -> None:
    """Replaces each process's running statistics (of batch normalisation) by their mean."""
    if count() > 1:
        kept = ("running_mean", "running_var")
        buffers = [buffer for name, buffer in model.named_buffers() if name.endswith(kept)]
        _sum_in_place(buffers)
        for buffer in buffers:
            buffer /= count()


def _sum_in_place(tensors: list[Tensor]) -> None:
    if not tensors:
        return
    joint = torch.cat([tensor.flatten() for tensor in tensors])  # one message in the place of hundreds
    with _together():
        torch.distributed.all_reduce(joint)
    for tensor, part in zip(tensors, joint.split([tensor.numel() for tensor in tensors])):
        tensor.copy_(part.view(tensor.shape))


@contextlib.contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise Failed(
            "Another process of this training has ended; the same command with --resume goes on from the last epoch."
        ) from error
