"""Installs the hook in a Python program that ``mintmark capture`` starts, before the program's first line."""

import importlib
import importlib.machinery
import importlib.util
import json
import os
import sys
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
    other = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if other is not None and other.loader is not None:
        other.loader.exec_module(importlib.util.module_from_spec(other))


_begin()
