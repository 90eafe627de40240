"""What a check is made of: a condition, and the sentence for a student whose work doesn't meet it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


class CheckFailed(AssertionError):
    """The student's cell isn't right yet; the message says what is wrong."""

    def _render_traceback_(self) -> list[str]:
        """What Jupyter shows: the message alone, as the lines of the check itself would not help."""
        return [f"Not yet: {self}"]


def expect(condition: object, message: str) -> None:
    """Fails a check with the message unless the condition holds."""
    if not condition:
        raise CheckFailed(message)


def expect_close(found: "float | Tensor", expected: "float | Tensor", what: str, tolerance: float = 1e-6) -> None:
    """Fails a check unless a number or a tensor is right; the message gives both."""
    import torch  # not above: a check of plain values needs none

    found, expected = torch.as_tensor(found, dtype=torch.float64), torch.as_tensor(expected, dtype=torch.float64)
    expect(
        found.shape == expected.shape,
        f"{what} has the shape {tuple(found.shape)}; it should be {tuple(expected.shape)}.",
    )
    if torch.allclose(found, expected, rtol=0, atol=tolerance, equal_nan=True):
        return
    if found.ndim > 2:
        raise CheckFailed(f"{what} differs by up to {(found - expected).abs().max():.2g} from what it should be.")
    raise CheckFailed(f"{what} is {short(found)}; it should be {short(expected)}.")


def short(tensor: "Tensor") -> str:
    import torch

    rounded = [
        [round(x, 4) for x in row] if isinstance(row, list) else round(row, 4)
        for row in torch.atleast_1d(tensor.detach().double()).tolist()
    ]
    return str(rounded[0] if tensor.ndim == 0 else rounded)
