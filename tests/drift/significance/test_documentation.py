"""The worked example of docs/drift-statistics.md runs as printed, without a database or a network."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "drift-statistics.md"


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    monkeypatch.chdir(tmp_path)

    assert len(blocks) == 1
    exec(compile(blocks[0], str(PAGE), "exec"), {"__name__": "example"})
    said = capsys.readouterr().out
    assert said.startswith("Changed: 12 replays against 20 baseline outputs differ with p = ")
    assert "It would have shown, in 8 of 10 simulated tests: pictures lighter by" in said
