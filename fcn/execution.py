"""Where cells lie in networks with branches: the grids follow what is executed, not what is defined.

torch.fx records which layer is given which map. Along that record each map's grid is carried from the image on;
where branches meet, they have to lie on the same cells. What isn't known to keep or to move cells ends in an error.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import fx, nn
from torch.nn import functional
from torchvision.models.shufflenetv2 import channel_shuffle
from torchvision.ops import stochastic_depth

from core.errors import CourseError
from fcn.geometry import Grid, after_known, is_known, meet


@dataclass(frozen=True)
class Map:
    """What is known of a tensor with cells: where they lie, and whether its channels come last, as (N, h, w, C)."""

    grid: Grid
    channels_last: bool = False


# By function, or by the name of a method. Each keeps every cell where it is, or puts together maps cell by cell.
CELLWISE = {
    operator.add,
    operator.iadd,
    operator.sub,
    operator.mul,
    operator.imul,
    operator.truediv,
    torch.add,
    torch.mul,
    torch.relu,
    torch.tanh,
    torch.sigmoid,
    torch.cat,
    torch.unsqueeze,
    functional.relu,
    functional.relu6,
    functional.tanh,
    functional.gelu,
    functional.silu,
    functional.hardswish,
    functional.hardsigmoid,
    functional.dropout,
    functional.batch_norm,
    stochastic_depth,
    channel_shuffle,
    "add",
    "add_",
    "mul",
    "mul_",
    "relu",
    "relu_",
    "tanh",
    "sigmoid",
    "clone",
    "contiguous",
    "float",
    "chunk",
    "split",
}
WINDOWS = {functional.max_pool2d: nn.MaxPool2d, functional.avg_pool2d: nn.AvgPool2d, torch.max_pool2d: nn.MaxPool2d}
# What comes behind has no cells: it speaks of the whole image.
ENDS = {torch.flatten, torch.mean, functional.adaptive_avg_pool2d, functional.adaptive_max_pool2d, "flatten", "mean"}
END_LAYERS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Flatten)
CHANNELS_LAST_LAYERS = (nn.Linear, nn.LayerNorm)  # cell by cell, if the channels come last
TO_LAST, TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]


def after(layer: nn.Module, grid: Grid) -> Grid:
    """The grid after a layer, branches included.

    Raises:
        CourseError: see `fcn.geometry.follow`.
    """
    if is_known(layer):
        return after_known(layer, grid)
    if isinstance(layer, nn.Sequential):
        for part in layer:
            grid = after(part, grid)
        return grid
    return _cells(_Walk(layer, grid).output, type(layer).__name__)


def layer_output(model: nn.Module, layer: nn.Module) -> Grid:
    """Where the cells of a layer's output lie in the network's input, at the layer's last call.

    Raises:
        CourseError: the network can't be followed to there, or the layer gives no map with its channels first.
    """
    walk = _Walk(model, Grid(), until=layer)
    return _cells(walk.output, next(name for name, module in model.named_modules() if module is layer))


def _cells(found: object, name: str) -> Grid:
    if not isinstance(found, Map):
        raise CourseError(f"{name} gives no map of cells; choose a layer before the pooling at the end.")
    if found.channels_last:
        raise CourseError(f"{name} gives a map with its channels last; choose a layer that gives (N, C, h, w).")
    return found.grid


class _Tracer(fx.Tracer):
    """Records what a network executes, and which node is the output of which module."""

    def __init__(self) -> None:
        super().__init__(autowrap_functions=(channel_shuffle, stochastic_depth))
        self.outputs: dict[nn.Module, fx.Node] = {}

    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return is_known(module) or super().is_leaf_module(module, name)

    def call_module(self, module: nn.Module, forward: Callable, arguments: tuple, keywords: dict) -> object:
        output = super().call_module(module, forward, arguments, keywords)
        if isinstance(output, fx.Proxy):
            self.outputs[module] = output.node
        return output


class _Walk:
    """Carries the grids along a network's record, from its first input to its output or to that of one layer."""

    def __init__(self, model: nn.Module, grid: Grid, until: nn.Module | None = None) -> None:
        self.modules = dict(model.named_modules())
        training = {module: module.training for module in model.modules()}
        tracer = _Tracer()
        try:
            graph = tracer.trace(model.eval())
        except CourseError:
            raise
        except Exception as error:  # fx raises what the network's own code raises when it meets no tensor
            raise CourseError(
                f"{type(model).__name__} can't be followed from layer to layer ({str(error).splitlines()[0][:120]}); "
                "where its cells lie has to be said by hand, as a fcn.geometry.Grid."
            ) from error
        finally:
            for module, flag in training.items():
                module.training = flag
        if until is not None and until not in tracer.outputs:
            raise CourseError("This layer is not used in the forward pass; choose one that is.")
        last = tracer.outputs.get(until)
        found: dict[fx.Node, object] = {}
        self.output = None
        for node in graph.nodes:
            if node.op == "placeholder":
                found[node] = Map(grid)
            elif node.op == "output":
                self.output = found.get(node.args[0]) if isinstance(node.args[0], fx.Node) else None
            else:
                found[node] = self._after(node, found)
            if node is last:
                self.output = found[node]
                break

    def _after(self, node: fx.Node, found: Mapping[fx.Node, object]) -> object:
        """What comes out of a node: a `Map`, or None where there are no cells."""
        given = [found[source] for source in node.all_input_nodes if isinstance(found[source], Map)]
        if node.op == "get_attr" or not given:
            return None
        if node.op == "call_module":
            return self._after_layer(self.modules[node.target], given[0], node)
        kind = node.target
        if kind in ENDS or kind in (getattr, "size", "dim"):
            return None
        if kind in WINDOWS:
            layer = WINDOWS[kind](*node.args[1:], **{k: v for k, v in node.kwargs.items() if k != "return_indices"})
            return Map(after_known(layer, given[0].grid))
        if kind is operator.getitem:
            return self._indexed(node, given[0])
        if kind is functional.pad:
            return self._padded(node, given[0])
        if kind in (torch.permute, "permute"):
            return self._permuted(list(_axes(node)), given[0], node)
        if kind is functional.layer_norm and given[0].channels_last:
            return given[0]
        if kind in CELLWISE and _keeps_channels_apart(node, given):
            return Map(meet([one.grid for one in given], node.name), given[0].channels_last)
        raise _unknown(node)

    def _after_layer(self, layer: nn.Module, given: Map, node: fx.Node) -> object:
        if isinstance(layer, END_LAYERS):
            return None
        if given.channels_last and isinstance(layer, CHANNELS_LAST_LAYERS):
            return given
        if not is_known(layer) or given.channels_last and after_known(layer, Grid()) != Grid():
            raise _unknown(node)
        return Map(after_known(layer, given.grid), given.channels_last)

    def _indexed(self, node: fx.Node, given: Map) -> Map:
        """One of several maps, some of the channels, or every n-th cell."""
        index = node.args[1]
        if isinstance(index, int):
            return given
        rows, columns = (
            (*index, slice(None), slice(None), slice(None))[2:4] if isinstance(index, tuple) else (None,) * 2
        )
        for place in (rows, columns):
            if not isinstance(place, slice) or place.start not in (None, 0) or place.stop is not None:
                raise _unknown(node)
        if rows.step != columns.step or given.channels_last:
            raise _unknown(node)
        return Map(given.grid.strided(rows.step or 1))

    def _padded(self, node: fx.Node, given: Map) -> Map:
        """Cells that are added on the left and above come before the first one."""
        widths = node.args[1] if len(node.args) > 1 else node.kwargs["pad"]
        if not all(isinstance(width, int) for width in widths) or given.channels_last:
            raise _unknown(node)  # the widths depend on the image's size
        left, top = (*widths, 0, 0)[0], (*widths, 0, 0, 0)[2]
        if left != top:
            raise _unknown(node)
        return Map(given.grid.widened(left))

    def _permuted(self, axes: list[int], given: Map, node: fx.Node) -> Map:
        if axes == (TO_FIRST if given.channels_last else TO_LAST):
            return Map(given.grid, not given.channels_last)
        raise _unknown(node)


def _axes(node: fx.Node) -> tuple[int, ...]:
    axes = node.args[1:] or (node.kwargs["dims"],)
    return axes[0] if isinstance(axes[0], tuple | list) else axes


# Which argument says along which axis something is cut or put together.
AXIS = {torch.cat: 1, torch.unsqueeze: 1, "chunk": 2, "split": 2}


def _keeps_channels_apart(node: fx.Node, given: list[Map]) -> bool:
    """Whether what is cut or put together are channels, and all maps have them in the same place."""
    if len({one.channels_last for one in given}) > 1:
        return False
    if node.target not in AXIS:
        return True
    place = AXIS[node.target]
    axis = node.kwargs.get("dim", node.args[place] if len(node.args) > place else 0)
    return axis == (3 if given[0].channels_last else 1)


def _unknown(node: fx.Node) -> CourseError:
    what = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", str(node.target))
    return CourseError(
        f"What {what} ({node.name}) does to the places of the cells isn't known; choose a layer before it, or say "
        "where the cells lie as a fcn.geometry.Grid."
    )
