"""What the kernels of notebooks get from the one who starts them."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path


def own_kernels(variables: Mapping[str, str]) -> type:
    """A class of kernel managers whose kernels are this interpreter, whichever "python3" the user or the system has.

    Args:
        variables: of the kernels' environment, beside those that this process has.
    """
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    # The kernel's log says nothing to the user: what went wrong in a notebook is reported from here.
    words = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=CRITICAL"]

    class Kernels(AsyncKernelManager):
        kernel_spec = KernelSpec(argv=words, display_name="Python 3", language="python", env=dict(variables))

    return Kernels


@contextlib.contextmanager
def own_kernel() -> Iterator[None]:
    """Lets "python3" be this interpreter, whichever kernels the user or the system has by that name."""
    import ipykernel.kernelspec

    with tempfile.TemporaryDirectory() as folder:
        # The kernel's log says nothing to the user: what went wrong in a notebook is reported from there.
        ipykernel.kernelspec.write_kernel_spec(
            Path(folder) / "kernels" / "python3", extra_arguments=["--log-level=CRITICAL"]
        )
        search = os.pathsep.join(filter(None, [folder, os.environ.get("JUPYTER_PATH")]))
        with environment(JUPYTER_PATH=search):
            yield


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Sets variables of the environment for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
