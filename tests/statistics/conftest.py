"""Simulations of whole decisions; run with ``pytest tests/statistics -n 0``, never collected from further up.

MINTMARK_STATISTICS=small runs an eighth of the trials. The measured table is printed at the end.
"""

import importlib.util
import os
from functools import partial
from pathlib import Path

import cv2
import pytest

HERE = Path(__file__).parent
SMALL = os.environ.get("MINTMARK_STATISTICS") == "small"
ROWS = pytest.StashKey()


def pytest_ignore_collect(collection_path, config):
    """Only when this folder, or something in it, is named: these take minutes."""
    named = [Path(arg.partition("::")[0]).resolve() for arg in config.args]
    return None if any(path == HERE or HERE in path.parents for path in named) else True


def _sibling(name):
    spec = importlib.util.spec_from_file_location(f"statistics_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def trials():
    """How many of so many trials to run."""
    return lambda full: max(20, full // 8) if SMALL else full


@pytest.fixture(scope="session")
def families():
    """Name of each family to its module; they share no line with each other."""
    return {name: _sibling(name) for name in ("terrain", "collage")}


@pytest.fixture(scope="session")
def pooling():
    return _sibling("pooling")


@pytest.fixture(scope="session")
def pools(families, pooling):
    """Described pictures of both families, drawn once: ``pools["terrain"]``."""
    cv2.setNumThreads(1)
    return {name: pooling.drawn(family, seed, small=SMALL) for seed, (name, family) in enumerate(families.items(), 1)}


@pytest.fixture(scope="session")
def drawing():
    return _sibling("drawing")


@pytest.fixture(scope="session")
def texts(drawing):
    """Described transcripts of two families that share nothing: ``texts["lecture"]["broad"]``."""
    size = (6, 42, 20), (24, 16, 8)
    return {
        name: drawing.pools(drawing.Texts, _sibling(name), 50 + number, deep=size[0], broad=size[1])
        for number, name in enumerate(("lecture", "chat"))
    }


@pytest.fixture(scope="session")
def clips(drawing):
    """Described clips: ``clips["deep"]``."""
    cv2.setNumThreads(1)
    deep, broad = ((2, 40, 12), (6, 9, 2)) if SMALL else ((5, 40, 16), (20, 9, 3))
    return drawing.pools(drawing.Clips, _sibling("parade"), 60, deep=deep, broad=broad)


@pytest.fixture(scope="session")
def sounds(drawing):
    """Described sounds of two families that share nothing: ``sounds["workshop"]["broad"]``."""
    deep, broad = ((2, 40, 12), (6, 9, 2)) if SMALL else ((4, 40, 14), (20, 9, 3))
    kind = partial(drawing.Sounds, _sibling("changing").CHANGES)
    return {
        name: drawing.pools(kind, _sibling(name), 70 + number, deep=deep, broad=broad)
        for number, name in enumerate(("workshop", "voices"))
    }


@pytest.fixture(scope="session")
def table(request):
    """Takes ``table(what, share, trials)`` and returns share and standard error."""
    rows = request.config.stash.setdefault(ROWS, [])

    def add(what, hits, count, more=""):
        share = hits / count
        error = (max(share * (1 - share), 1 / count**2) / count) ** 0.5
        rows.append(f"{what:<58} {share:7.3f} ± {error:.3f}  ({count:,} trials) {more}")
        return share, error

    return add


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("measured")
        for row in rows:
            terminalreporter.write_line(row)
