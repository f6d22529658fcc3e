"""docs/http.md: its examples run as written, against a real server."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MANUAL = Path(__file__).parents[3] / "docs" / "http.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here; `apt-get install curl` installs it")
def test_every_example_runs_in_its_order(served, tmp_path, make_png):
    (tmp_path / "hero.png").write_bytes(make_png(6))
    examples = re.findall(r"```sh\n(.*?)```", MANUAL.read_text("utf-8"), re.S)
    assert examples.pop(0) == "mintmark serve\n"
    assert len(examples) >= 7
    told = []

    for example in examples:
        script = example.replace("http://127.0.0.1:8420/", served.url).replace("curl -sS", "curl --fail-with-body -sS")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{example}\n{done.stdout}\n{done.stderr}"
        told.append(done.stdout)

    assert '"new":true' in told[0]
    assert '"class":"blocked"' in told[1]
    assert told[2].count('"sureness":"match"') >= 1
    assert "c2sp.org/tlog-proof@v1" in "".join(told)
    assert (tmp_path / "first-100-bytes").stat().st_size == 100
    assert '"ready":true' in told[-1]
    assert served.registry.catalog.generations() == 2


def test_every_route_is_in_the_manual(served):
    manual = MANUAL.read_text("utf-8")

    for path in served.client.get("/openapi.json").json()["paths"]:
        known = path.replace("{id}", "@last").partition("{")[0].rstrip("/")
        assert known in manual, path
