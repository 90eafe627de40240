"""What every training shares."""

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Sets every generator the course draws from; call it before a network is made."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
