"""Who reaches the engine: two modules import it, and no command does before it needs it."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_two_modules_import_the_engine():
    found = [
        str(path.relative_to(ROOT))
        for floor in ("drift", "registry", "replay")
        for path in sorted((ROOT / floor).rglob("*.py"))
        if any(line.startswith(("import dbos", "from dbos")) for line in path.read_text("utf-8").splitlines())
    ]

    assert found == ["replay/engine.py", "replay/jobs.py"]


def test_no_command_loads_the_engine_by_being_loaded():
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["mintmark.commands"]
    modules = sorted({point.partition(":")[0] for point in points.values()})
    program = (
        f"import importlib, sys\nfor name in {modules}: importlib.import_module(name)\nprint('dbos' in sys.modules)"
    )

    told = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert told.stdout == "False\n"
