"""The plain and the residual network of notebook 7: 14 layers each, the same but for their shortcuts.

They name the patterns of generated pictures of 32 × 32 pixels (`course pretrain plain14`, `residual14`).
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from tqdm.auto import tqdm

from cam.pictures import PATTERNS, Pictures, make_pictures
from cam.train_small import TRAINING_SEED
from core.errors import CourseError
from core.files import ROOT
from core.photographs import normalise
from core.training import now_and_then, one_cycle, seed_everything, train_steps
from residual.networks import Network, from_weights

DEPTH = 14
SHORTCUTS = {"plain14": "none", "residual14": "identity"}


def small_pictures(count: int, seed: int) -> Pictures:
    """Generated pictures of 32 × 32 pixels; their objects are 14 to 23 pixels wide, so that a pattern still shows."""
    return make_pictures(count, seed, size=32, radius=(0.22, 0.36))


def weights_file(name: str, seed: int) -> Path:
    """Where the network of this name, trained from this seed, is kept."""
    return ROOT / "files" / f"{name}_{seed}.safetensors"


def load(name: str, seed: int) -> Network:
    """One of `SHORTCUTS`, in eval mode.

    Raises:
        CourseError: none was trained from this seed.
    """
    path = weights_file(name, seed)
    if not path.exists():
        raise CourseError(f"There is no network of seed {seed}; train it with course pretrain {name} --seed {seed}.")
    return from_weights(path).to(memory_format=torch.channels_last)


def train(name: str, seed: int, count: int = 2000, epochs: int = 12, batch_size: int = 50) -> Network:
    """Trains one of `SHORTCUTS`; both see the same pictures in the same order. Returns it in eval mode.

    AdamW with a one-cycle learning rate; the last weights are kept.
    """
    data = small_pictures(count, TRAINING_SEED + seed)
    x, labels = normalise(data.images), torch.from_numpy(data.labels)
    seed_everything(seed)
    model = Network(DEPTH, SHORTCUTS[name], num_classes=len(PATTERNS)).to(memory_format=torch.channels_last)
    generator = torch.Generator().manual_seed(seed)
    batches = [b for _ in range(epochs) for b in torch.randperm(count, generator=generator).split(batch_size)]
    optimiser = torch.optim.AdamW(model.parameters(), 5e-3, weight_decay=0.01, fused=True)

    def loss_of(batch: Tensor) -> Tensor:
        return functional.cross_entropy(model(x[batch]), labels[batch])

    steps = train_steps(batches, loss_of, optimiser, one_cycle(optimiser, len(batches)))
    with tqdm(total=len(batches), desc=f"{name}, seed {seed}", unit="batch") as bar:
        for losses in now_and_then(steps):
            bar.update(len(losses))
            bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
    return model.eval()
