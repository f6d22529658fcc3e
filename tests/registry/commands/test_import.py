"""``mintmark import``, ``prices`` and ``providers retiring``, as people type them."""

import json

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

PARAMETERS = (
    "a bridge in the fog\nNegative prompt: rain\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Model: sd-1.5"
)
MAP = """
constants = { provider = "openai", model = "m" }
columns = { output = "file", prompt = "prompt" }
"""


@pytest.fixture
def png(tmp_path):
    def write(name="a.png", text=PARAMETERS):
        info = PngInfo()
        info.add_text("parameters", text)
        Image.effect_noise((48, 32), 90).convert("RGB").save(tmp_path / name, pnginfo=info)
        return tmp_path / name

    return write


def test_a_file_is_imported_found_and_known_again(mintmark, png):
    png()

    first = mintmark("import", "a.png", "--workflow", "archive", "--label", "source=studio", "--license", "cc0=allowed")
    again = mintmark("import", "a.png")

    assert (first.status, again.status) == (0, 0)
    assert "automatic1111  a.png" in first.out and "1 imported" in first.err
    assert "imported before" in again.out and again.out.split()[0] == first.out.split()[0]
    assert mintmark("lookup", "a.png").status == 0
    shown = mintmark("show", "@last", "--json").json["manifest"]
    assert (shown["license"]["id"], shown["license"]["commercial_use"]) == ("cc0", "allowed")
    assert "a bridge in the fog" in mintmark("show", "@last").out
    assert mintmark("search", "--prompt", "bridge", "--workflow", "archive").status == 0


def test_every_refused_file_is_named_with_its_folder(mintmark, png, tmp_path):
    (tmp_path / "renders").mkdir()
    png("renders/whole.png")
    cut = png("renders/cut.png")
    cut.write_bytes(cut.read_bytes()[:-400])

    said = mintmark("import", "renders")

    assert said.status == 1 and "refused: renders/cut.png: " in said.err


def test_what_is_imported_is_not_replayed(mintmark, png):
    mintmark("import", png())

    said = mintmark("replay", "@last")

    assert said.status == 4


def test_json_tells_each_file(mintmark, png, picture):
    png(), picture("plain.png")

    said = mintmark("import", "a.png", "plain.png", "--json")

    assert said.status == 1
    assert [one["state"] for one in said.json["items"]] == ["imported", "refused"]
    assert (said.json["imported"], said.json["refused"], said.json["dry_run"]) == (1, 1, False)


def test_a_dry_run_makes_no_registry(mintmark, png, tmp_path):
    png()

    said = mintmark("import", "a.png", "--dry-run")

    assert said.status == 0 and "would be imported" in said.err
    assert not (tmp_path / ".mintmark").exists()


def test_an_empty_folder_is_nothing_to_import(mintmark, tmp_path):
    (tmp_path / "empty").mkdir()

    assert mintmark("import", "empty").status == 5


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["calls.csv"], "--map"),
        (["calls.csv", "a.png", "--map", "map.toml"], "one table"),
        (["none.csv", "--map", "map.toml"], "no such file"),
        (["calls.csv", "--map", "none.toml"], "cannot be read"),
        (["a.png", "--license", "=allowed"], "--license"),
        (["a.png", "--license", "cc0=perhaps"], "--license"),
        (["a.png", "--label", "x"], "label"),
    ],
)
def test_usage(mintmark, png, tmp_path, arguments, expected):
    png()
    (tmp_path / "calls.csv").write_text("file,prompt\na.png,x\n")
    (tmp_path / "map.toml").write_text(MAP)

    said = mintmark("import", *arguments)

    assert said.status == 2 and expected in said.err


def test_a_table_is_imported_row_by_row(mintmark, png, tmp_path):
    png(), png("b.png")
    (tmp_path / "calls.csv").write_text("file,prompt\na.png,one\nmissing.png,two\nb.png,three\n")
    (tmp_path / "map.toml").write_text(MAP)

    dry = mintmark("import", "calls.csv", "--map", "map.toml", "--dry-run", "--json")
    said = mintmark("import", "calls.csv", "--map", "map.toml")
    again = mintmark("import", "calls.csv", "--map", "map.toml")

    assert dry.status == said.status == again.status == 1
    assert [one["state"] for one in dry.json["items"]] == ["imported", "refused", "imported"]
    assert "refused: row 2 (line 3): " in said.err and "2 imported; 1 refused" in said.err
    assert "0 imported; 2 imported before; 1 refused" in again.err


def test_a_mistake_in_the_map_is_shown_by_its_line(mintmark, tmp_path):
    (tmp_path / "calls.csv").write_text("file\n")
    (tmp_path / "map.toml").write_text("\n[columns]\nprovder = 'x'\n")

    said = mintmark("import", "calls.csv", "--map", "map.toml")

    assert said.status == 2 and "map.toml:3: columns.provder" in said.err and "'provider'" in said.err


def test_prices_are_taken_in_shown_and_used(mintmark, png, tmp_path):
    entry = {"litellm_provider": "openai", "mode": "image_generation", "output_cost_per_image": 0.04}
    (tmp_path / "list.json").write_text(json.dumps({"gpt-image-9": entry | {"deprecation_date": "2099-01-01"}}))

    taken = mintmark("prices", "import", "list.json", "--json")
    shown = mintmark("prices", "show", "gpt-image-9", "--provider", "openai")
    mintmark("record", png(), "--provider", "openai", "--model", "gpt-image-9", "--operation", "image.generate")

    assert taken.status == shown.status == 0
    assert "0.04 USD" in shown.out and taken.json["sha256"][:12] in shown.out and "2099-01-01" in shown.out
    cost = mintmark("show", "@last", "--json").json["manifest"]["cost"]
    assert (cost["amount"], cost["kind"], cost["price_table"]["sha256"]) == ("0.04", "estimated", taken.json["sha256"])
    assert mintmark("prices", "show", "gpt-image-9", "--json").json[0]["prices"] == {"output_cost_per_image": "0.04"}
    assert mintmark("prices", "show", "unheard-of").status == 1


def test_prices_refuse_what_is_none(mintmark, tmp_path):
    (tmp_path / "list.json").write_text('{"m": {"output_cost_per_image": "dear"}}')

    assert mintmark("prices", "import", "list.json").status == 2
    assert mintmark("prices", "import", "none.json").status == 2
    assert mintmark("prices", "import", "list.json", "--effective-from", "soon").status == 2


def test_retiring_says_some_or_none(mintmark, png, tmp_path):
    entry = {"litellm_provider": "openai", "output_cost_per_image": 0.04, "deprecation_date": "2099-01-01"}
    (tmp_path / "list.json").write_text(json.dumps({"gpt-image-9": entry}))
    mintmark("prices", "import", "list.json")
    none = mintmark("providers", "retiring")
    mintmark("record", png(), "--provider", "openai", "--model", "gpt-image-9", "--operation", "image.generate")

    some, soon = mintmark("providers", "retiring", "--json"), mintmark("providers", "retiring", "--within", "90d")

    assert (none.status, some.status, soon.status) == (0, 1, 0)
    assert (some.json[0]["model"], some.json[0]["day"], some.json[0]["generations"]) == ("gpt-image-9", "2099-01-01", 1)
    assert "gpt-image-9" in mintmark("providers", "retiring", "--within", "4000w").out
    assert mintmark("providers", "retiring", "--within", "soon").status == 2


def test_an_alias_is_refused_where_a_pin_is_required(mintmark, tmp_path, monkeypatch):
    monkeypatch.setenv("MINTMARK_REQUIRE_PIN", "true")

    asked = ("--prompt", "x", "--operation", "image.generate")
    said = mintmark("generate", "--provider", "openai", "--model", "gpt-image-2", *asked)
    pinned = mintmark("generate", "--provider", "procedural", "--model", "procedural-image@1", *asked)

    assert said.status == 2 and "gpt-image-2-20" in said.err and "nothing was run" in said.err
    assert pinned.status == 0
