"""What a command cannot do without, its help marks as required: always, or in the case it names."""

import re

import pytest

NEEDED = [
    ("approve @last --reason r", "--by", "[required]"),
    ("approve @last --by me", "--reason", "[required]"),
    ("erase @last --field prompt --authority a", "--reason", "[required unless --finish]"),
    ("erase @last --field prompt --reason r", "--authority", "[required unless --finish]"),
    ("export --all", "--to", "[required]"),
    ("get @last", "--to", "[required]"),
    ("import calls.csv", "--map", "[required for a table]"),
    ("log export", "--to", "[required]"),
    ("reconcile usage.csv", "--provider", "[required]"),
    ("record --model x", "--provider", "[required]"),
    ("record --provider x", "--model", "[required]"),
    ("replay ambiguous paid KEY --reason r", "--by", "[required for paid, unpaid]"),
    ("replay ambiguous unpaid KEY --by me", "--reason", "[required for paid, unpaid]"),
    ("review @last", "--usable", "[required: this or --unusable]"),
    ("review @last", "--unusable", "[required: this or --usable]"),
]


@pytest.mark.parametrize(("words", "option", "mark"), NEEDED, ids=[f"{words} {option}" for words, option, _ in NEEDED])
def test_an_option_without_which_a_command_is_refused_is_marked(mintmark, words, option, mark):
    refused = mintmark(*words.split())
    name = [word for word in words.split() if not word.startswith(("-", "@"))]
    told = mintmark(*(name[:2] if name[0] in ("log", "replay") else name[:1]), "--help").out

    assert refused.status == 2 and option in refused.err
    entry = re.search(rf"^  {option}\b.*?(?=^  -|\Z)", told, re.DOTALL | re.MULTILINE)
    assert entry is not None and " ".join(entry.group().split()).endswith(mark)
