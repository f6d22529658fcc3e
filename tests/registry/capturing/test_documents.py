"""The five lines of the README and of docs/capture.md, run as written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from capture_flows import KEY

from registry.home import open_registry

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("page", ["README.md", "docs/capture.md"])
def test_five_lines_record_a_call(page, emulator, tmp_path):
    lines = re.search(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S)[1]
    assert len([line for line in lines.splitlines() if line]) == 5
    (tmp_path / "app.py").write_text(lines)
    environment = os.environ | {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{emulator.url('openai')}/v1"}

    subprocess.run([sys.executable, "app.py"], cwd=tmp_path, env=environment, check=True, timeout=60)

    registry = open_registry(tmp_path)
    made = registry.catalog.manifest(registry.catalog.resolve("@last"))
    registry.close()
    assert (made.context.workflow, made.labels) == ("storefront-hero", {"app": "storefront"})
    assert (made.model.pin, made.outcome.class_, len(made.outputs)) == ("snapshot", "succeeded", 1)
