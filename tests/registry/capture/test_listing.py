"""docs/providers.md: the table of what is shipped is the one the files make."""

from pathlib import Path

from registry.capture.description import shipped
from registry.capture.listing import table

PAGE = Path(__file__).parents[3] / "docs" / "providers.md"
FROM, TO = "<!-- made by registry/capture/listing.py -->\n", "<!-- end -->"


def test_the_table_of_the_page_is_the_table_of_the_files():
    page = PAGE.read_text("utf-8")

    shown = page[page.index(FROM) + len(FROM) : page.index(TO)]

    assert shown == table(shipped()), f"put this between the marks of {PAGE.name}:\n{table(shipped())}"
