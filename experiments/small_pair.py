"""Trains the plain and the residual network of notebook 7 (`python -m experiments.pretrain plain14`, `residual14`)."""

import torch

from cam.pictures import PATTERNS
from core.photographs import normalise
from core.progress import Progress
from core.training import one_cycle, seed_everything
from course.small_pair import SHORTCUTS, small_pictures
from experiments.small_resnet import TRAINING_SEED
from fcn.losses import class_loss
from fcn.trainer import train_epoch
from residual.networks import Network

DEPTH = 14


def train(name: str, seed: int, count: int = 2000, epochs: int = 12, batch_size: int = 50) -> Network:
    """Trains one of `SHORTCUTS`; both see the same pictures in the same order. Returns it in eval mode.

    AdamW with a one-cycle learning rate; the last weights are kept.
    """
    data = small_pictures(count, TRAINING_SEED + seed)
    x, labels = normalise(data.images), torch.from_numpy(data.labels)
    seed_everything(seed)
    model = Network(DEPTH, SHORTCUTS[name], num_classes=len(PATTERNS)).to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(seed)
    order = [batch for _ in range(epochs) for batch in torch.randperm(count, generator=generator).split(batch_size)]
    batches = ((x[batch], labels[batch]) for batch in order)
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3, weight_decay=0.01, fused=True)
    with Progress(optimiser, len(order), title=f"{name}, seed {seed}") as progress:
        train_epoch(model, batches, class_loss, optimiser, one_cycle(optimiser, len(order)), "float32", progress)
    return model.eval()
