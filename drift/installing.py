"""The line that installs what is missing into the Python that runs this."""

import shlex
import sys


def install_line(what: str) -> str:
    """A line for a shell, from any folder; the environment itself may have no pip, as `make` sets it up."""
    return f"python3 -m pip --python {shlex.quote(sys.executable)} install {shlex.quote(what)}"
