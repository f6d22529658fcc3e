"""The page about the demo and the README tell of the same run."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PAGE = (ROOT / "docs" / "demo.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([a-z][^|]+) \| ([^|]+) \| ([^|]+) \|$", README.partition("## Your own file")[0], re.M)


def test_the_readme_has_rows():
    assert len(ROWS) >= 5


@pytest.mark.parametrize(("name", "script", "mintmark"), ROWS, ids=[row[0] for row in ROWS])
def test_a_row_of_the_readme_has_the_numbers_of_the_page(name, script, mintmark):
    here = PAGE.partition("Beside a script")[2]
    row = re.search(rf"^{re.escape(name)} {{2,}}(.*(?:\n {{20,}}\S.*)*)", here, re.M)

    assert row, f"docs/demo.md has no row {name!r}"
    assert re.findall(r"\d+", row[1]) == re.findall(r"\d+", f"{script} {mintmark}")
