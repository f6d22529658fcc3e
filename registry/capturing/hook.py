"""The in-process hook: HTTP clients patched at their transports, so that whoever uses them is captured."""

import atexit
import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from registry.capturing.draining import Drain
from registry.capturing.hook_aiohttp import patches_of_aiohttp
from registry.capturing.hook_httpx import patches_of_httpx
from registry.capturing.hook_requests import patches_of_requests
from registry.capturing.known import Known
from registry.capturing.patching import Patch
from registry.capturing.recorder import Recorder
from registry.settings import HOME, find_home

_CLIENTS: Final[dict[str, Callable[[ModuleType, Recorder], list[Patch]]]] = {
    "httpx": patches_of_httpx,
    "httpx2": patches_of_httpx,
    "requests": patches_of_requests,
    "aiohttp": patches_of_aiohttp,
}
EXIT_S: Final = 30.0


class _Installed:
    """The hook of this process."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.patched: dict[str, list[Patch]] = {}
        self.finder = _Finder(self)

    def patch(self, module: ModuleType) -> None:
        """Put the patches of one client in place; a client of an unknown build stays as it is."""
        with suppress(AttributeError):
            patches = _CLIENTS[module.__name__](module, self.recorder)
            for patch in patches:
                patch.apply()
            self.patched[module.__name__] = patches


_lock: Final = threading.Lock()
_state: dict[str, _Installed] = {}


def install(
    home: Path | str | None = None, *, known: Known | None = None, drain: bool = True, patience_s: float = 10.0
) -> Recorder:
    """Record every generation that this process asks a described provider for; a second call changes nothing.

    httpx, httpx2, requests and aiohttp are captured, whether they are imported already or later, sync and async.
    Nothing of a call changes for the caller, whatever happens to the recording of it.

    Args:
        home: of the registry; as commands find it, or ``.mintmark`` in the working folder, where left out. It is made
            when something is recorded.
        known: which providers; every shipped description where left out.
        drain: whether a process beside this one records; False leaves calls in the spool for another.
        patience_s: how long the program may be silent about a job before it is asked about beside it.

    Returns:
        What goes on: ``settle(seconds)`` waits for everything so far, ``counts`` tells.

    Raises:
        InvalidValue: a variable ``MINTMARK_BASE_URL_…`` holds no address.
        BadDescription: a shipped description has a mistake.
    """
    with _lock:
        if "now" in _state:
            return _state["now"].recorder
        folder = Path(home) if home is not None else find_home(Path.cwd()) or Path.cwd() / HOME
        recorder = Recorder(folder, known=known, drain=Drain(folder) if drain else None, patience_s=patience_s)
        installed = _Installed(recorder)
        for name in _CLIENTS:
            if name in sys.modules:
                installed.patch(sys.modules[name])
        sys.meta_path.insert(0, installed.finder)
        _state["now"] = installed
        atexit.register(uninstall)
        return recorder


def uninstall(seconds: float = EXIT_S) -> None:
    """Take the hook away again and wait for what goes on, jobs too; what is not over then is spooled as it stands."""
    with _lock:
        installed = _state.pop("now", None)
    if installed is None:
        return
    atexit.unregister(uninstall)
    with suppress(ValueError):
        sys.meta_path.remove(installed.finder)
    for patches in installed.patched.values():
        for patch in reversed(patches):
            patch.revert()
    installed.recorder.close(seconds)


def running_recorder() -> Recorder | None:
    """The recorder of the hook in this process; None where it is not installed."""
    installed = _state.get("now")
    return installed.recorder if installed else None


class _Finder(importlib.abc.MetaPathFinder):
    """Patches a client the moment it has been imported."""

    def __init__(self, installed: _Installed) -> None:
        self._installed = installed

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """The spec that the import system would find, with a loader that patches afterwards."""
        if fullname not in _CLIENTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._installed)
        return spec


class _Loader(importlib.abc.Loader):
    """The module's own loader, and then the patches."""

    def __init__(self, inner: importlib.abc.Loader, installed: _Installed) -> None:
        self._inner, self._installed = inner, installed

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """As the own loader does."""
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """As the own loader does; then patch."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        module.__loader__ = self._inner
        self._inner.exec_module(module)
        self._installed.patch(module)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the own loader has
        return getattr(self._inner, name)
