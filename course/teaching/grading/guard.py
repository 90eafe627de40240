"""Sent as text into a hand-in's kernel before its first cell: keeps what checks lean on, and puts it back before each.

It stops assignments: to the notebook's names, to attributes of modules and classes, to a function's code. It does not
stop code that searches the interpreter's memory; docs/instructors/index.md says so.
"""

import builtins
import hashlib
import sys
from types import FunctionType, ModuleType

from IPython import get_ipython

OURS = ("core", "fcn", "cam", "residual", "course")
LIBRARIES = ("math", "numpy", "torch", "torch.linalg", "torch.nn", "torch.nn.functional")
BUILTINS = vars(builtins)
HEAP_TYPE = 1 << 9  # a class written in Python: only such can be changed


class Guard:
    """What was there before the hand-in's first cell.

    Args:
        secret: known to the grader alone; without it nobody can say that a check has passed.
        imports: those of the released notebook and of its hidden tests; no cell of the notebook gives their names to
            something else.
    """

    def __init__(self, secret: str, imports: str) -> None:
        self.secret, self.number, self.covered = secret, None, {}
        self.shell, self.write, self.flush = get_ipython(), sys.stdout.write, sys.stdout.flush
        self.user, self.module = self.shell.user_ns, self.shell.user_module
        names = {}
        exec(imports, names)
        self.names = {name: value for name, value in names.items() if name[:2] != "__"}
        self.builtin_names = {name for name in BUILTINS if name[0] != "_"}
        self.builtins = dict(BUILTINS)
        self.modules = {
            name: module
            for name, module in sys.modules.items()
            if isinstance(module, ModuleType) and (name.split(".")[0] in OURS or name in LIBRARIES)
        }
        self.attributes = [
            # What is no function or class, such as a setting, libraries may change by themselves.
            (
                vars(module),
                {*vars(module)},
                {key: value for key, value in vars(module).items() if name not in LIBRARIES or callable(value)},
            )
            for name, module in self.modules.items()
        ]
        values = [value for *_, was in self.attributes for value in was.values()]
        self.contents = [
            (value, value.copy()) for value in values if isinstance(value, list | dict) and value is not BUILTINS
        ]
        self.contents += [(value, value.copy()) for value in self._hooks()]
        kinds = {*type(self.shell).__mro__, *type(self.shell.kernel).__mro__}
        kinds |= {value for value in values if isinstance(value, type)}
        self.kinds = [(kind, dict(vars(kind))) for kind in kinds if kind.__flags__ & HEAP_TYPE]
        values += [getattr(value, "__func__", value) for _, was in self.kinds for value in was.values()]
        self.functions = [
            (function, (function.__code__, function.__defaults__, function.__kwdefaults__))
            for function in values
            if isinstance(function, FunctionType)
        ]

    def _hooks(self) -> list[list]:
        """The lists through which a notebook may change its own cells before they are run."""
        shell, transformers = self.shell, self.shell.input_transformer_manager
        lists = [shell.ast_transformers, shell.input_transformers_post, *shell.events.callbacks.values()]
        return [*lists, transformers.cleanup_transforms, transformers.line_transforms, transformers.token_transformers]

    def before(self, number: str, cells: list[str]) -> None:
        """Puts everything back before a check.

        Args:
            number: the check's own, which nobody could know before.
            cells: the sources that were run, as the grader knows them.
        """
        self._put_back()
        names = {**self.names, "In": cells, "__builtins__": builtins}
        self.covered = {name: self.user.pop(name) for name in [*self.builtin_names, *names] if name in self.user}
        self.user.update(names)
        self.number = number

    def passed(self, number: str) -> None:
        """The last line of a check: says that it was reached."""
        if number == self.number:
            self.write(f"\n{hashlib.sha256((self.secret + number).encode()).hexdigest()}\n")
            self.flush()

    def after(self) -> None:
        """Gives the notebook its own names again."""
        for name in ("In", *self.names):
            self.user.pop(name, None)
        self.user.update(self.covered)
        self.number, self.covered = None, {}

    def _put_back(self) -> None:
        BUILTINS.update(self.builtins)  # first, as all that follows uses them
        sys.settrace(None)
        sys.setprofile(None)
        sys.modules.update(self.modules)
        for attributes, keys, was in self.attributes:
            attributes.update(was)
            for key in (attributes.keys() - keys) & self.builtin_names:
                del attributes[key]
        for kind, was in self.kinds:
            for key in vars(kind).keys() - was.keys():
                delattr(kind, key)
            for key, value in was.items():
                if vars(kind).get(key, self) is not value:
                    setattr(kind, key, value)
        for function, was in self.functions:
            if (function.__code__, function.__defaults__, function.__kwdefaults__) != was:
                function.__code__, function.__defaults__, function.__kwdefaults__ = was
        for value, was in self.contents:
            value.clear()
            (value.update if isinstance(value, dict) else value.extend)(was)
        for key in vars(self.shell).keys() & vars(type(self.shell)).keys():
            if callable(vars(self.shell)[key]):  # it hides the class's own
                del vars(self.shell)[key]
        self.shell.user_ns, self.shell.user_module = self.user, self.module
