"""What is installed: Python, libraries, extras."""

import importlib.util
import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from drift.installing import install_line
from registry import __version__
from registry.health import Finding

_LIBRARIES = ("sqlalchemy", "opencv-python-headless", "av", "pillow", "cryptography", "blake3", "jsonschema-rs")
_EXTRAS = {"asr": ("pocketsphinx", "transcription on this machine")}


def installed() -> Iterator[Finding]:
    """One finding for the program, the libraries and each extra."""
    system = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.system()}"
    yield Finding("mintmark", "ok", f"{__version__}, {system}")
    missing = [name for name in _LIBRARIES if _version(name) is None]
    if missing:
        yield Finding("libraries", "problem", f"missing: {', '.join(missing)}", install_line("mintmark"))
    else:
        yield Finding("libraries", "ok", ", ".join(f"{name} {_version(name)}" for name in _LIBRARIES))
    if _version("opencv-python") is not None:
        again = install_line("mintmark")
        remedy = f"{again.replace(' install mintmark', ' uninstall opencv-python opencv-python-headless')} && {again}"
        yield Finding(
            "opencv", "problem", "opencv-python lies beside opencv-python-headless: one folder, two owners", remedy
        )
    for extra, (module, purpose) in _EXTRAS.items():
        if importlib.util.find_spec(module):
            yield Finding(f"extra {extra}", "ok", f"{purpose}: {module} {_version(module)}")
        else:
            remedy = install_line(f"mintmark[{extra}]")
            yield Finding(f"extra {extra}", "note", f"not installed: {purpose}", remedy)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
