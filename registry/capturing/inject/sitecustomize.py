"""Installs the hook in a Python program that ``mintmark capture`` starts, before the program's first line."""

import importlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path


def _begin() -> None:
    """Install, and never stop the program: without a hook it runs as it always did."""
    here = str(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if entry != here]
    said = os.environ.get("MINTMARK_CAPTURE")
    if said:
        try:
            importlib.import_module("registry.capturing.started").begin(json.loads(said))
        except Exception as problem:
            print(f"mintmark: nothing of {sys.argv[0] or 'this'} is captured: {problem}", file=sys.stderr)
    # Ours took the place of another one of this name, if there is one: it has its turn now.
    sys.modules.pop("sitecustomize", None)
    with suppress(ImportError):
        importlib.import_module("sitecustomize")


_begin()
