# %% 03-08
import copy

generator = torch.Generator().manual_seed(1)
other = {key: torch.randn(value.shape, generator=generator) for key, value in state.items()}
trunk = copy.deepcopy(model.trunk)
transplant(trunk, other)
check_transplant(trunk, other)
