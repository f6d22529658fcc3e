"""What a program does first that was started by ``mintmark capture``: install the hook, as the command line said."""

from typing import Any

from registry.capturing.context import said_by, say_everywhere
from registry.capturing.hook import install


def begin(said: dict[str, Any]) -> None:
    """Install the hook; what it spools is recorded by whoever started the program.

    Raises:
        MintmarkError: a variable or description is wrong.
    """
    say_everywhere(said_by(said.get("workflow"), said.get("labels", {})))
    install(said["home"], drain=False)
