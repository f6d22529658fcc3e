"""Tables of past calls: each row once, the bad ones told, none of the others stopped."""

import csv
import json

import pytest

from registry.importing.files import Terms
from registry.importing.history import import_rows
from registry.importing.mapping import BadMap, read_map
from registry.importing.tables import BadTable
from registry.manifest import License

MAP = """
[constants]
provider = "openai"
operation = "image.generate"
currency = "EUR"
[columns]
model = "model"
prompt = "prompt"
seed = "seed"
output = "file"
completed_at = "at"
cost = "cost"
status = "state"
request_id = "id"
subject = "who"
[columns.settings]
size = "size"
steps = "steps"
raw = "raw"
[columns.labels]
team = "team"
[values.status]
ok = "succeeded"
nsfw = "blocked"
"""
ROW = {
    "model": "gpt-image-2", "prompt": "a bridge, in fog", "seed": "7", "file": "a.png", "state": "ok", "cost": "4e-2",
    "at": "2026-05-01T12:00:00+02:00", "id": "req-1", "who": "customer-1",
    "size": "1024x1024", "steps": "20", "raw": "true", "team": "web",
}  # fmt: skip


@pytest.fixture
def registry(local_registry):
    return local_registry


@pytest.fixture
def mapped(tmp_path):
    def read(text=MAP):
        (tmp_path / "map.toml").write_text(text)
        return read_map(tmp_path / "map.toml")

    return read


@pytest.fixture
def table(tmp_path, picture):
    """Writes a table: ``table({...}, {...})`` as CSV, or as JSON Lines with ``name="t.jsonl"``."""
    picture("a.png")

    def write(*rows, name="t.csv", heading=tuple(ROW), **options):
        path = tmp_path / name
        if path.suffix == ".jsonl":
            path.write_text("".join(json.dumps({**ROW, **row}) + "\n" for row in rows))
            return path
        with path.open("w", newline="", **options) as file:
            writer = csv.DictWriter(file, heading, extrasaction="ignore")
            writer.writeheader()
            writer.writerows({**ROW, **row} for row in rows)
        return path

    return write


def test_a_row_becomes_a_generation_with_what_its_columns_say(registry, table, mapped):
    (done,) = import_rows(registry, table({}), mapped(), Terms())

    manifest = registry.catalog.manifest(done.id)
    opened = {one.pointer: one.value for one in registry.vault.get(done.id)}
    assert (done.number, done.line, done.state) == (1, 2, "imported")
    assert (manifest.provider.name, manifest.model.requested, manifest.model.pin) == (
        "openai",
        "gpt-image-2",
        "unknown",
    )
    assert (manifest.recorder.capture, manifest.recorder.confidence) == ("import", "declared")
    assert manifest.provider.description is None and manifest.request is None
    assert (opened["/prompt/submitted"], opened["/context/subject"]) == ("a bridge, in fog", "customer-1")
    assert (manifest.seed.requested, manifest.settings) == ("7", {"raw": True, "size": "1024x1024", "steps": 20})
    assert (manifest.cost.amount, manifest.cost.currency, manifest.cost.kind) == ("0.04", "EUR", "reported")
    assert manifest.outcome.completed_at == "2026-05-01T10:00:00.000Z" and manifest.outcome.request_id == "req-1"
    assert manifest.labels == {"team": "web"} and len(manifest.outputs) == 1


def test_importing_again_adds_nothing_and_a_changed_table_is_another(registry, table, mapped):
    path = table({}, {"id": "req-2"})
    first = list(import_rows(registry, path, mapped(), Terms()))

    again = list(import_rows(registry, path, mapped(MAP.replace('"EUR"', '"USD"')), Terms()))
    changed = list(import_rows(registry, table({}, {"id": "req-3"}), mapped(), Terms()))

    assert [(one.state, one.id) for one in again] == [("known", one.id) for one in first]
    assert [one.state for one in changed] == ["imported", "imported"]
    assert registry.catalog.generations() == 4


def test_an_interrupted_import_goes_on_where_it_ended(registry, table, mapped):
    path = table(*({"id": f"req-{n}"} for n in range(6)))
    half = import_rows(registry, path, mapped(), Terms())
    for _ in range(3):
        next(half)
    half.close()

    states = [one.state for one in import_rows(registry, path, mapped(), Terms())]

    assert states == ["known"] * 3 + ["imported"] * 3


BAD = {
    "status": ({"state": "what?"}, "status: 'what?'"),
    "time": ({"at": "yesterday"}, "completed_at"),
    "cost": ({"cost": "cheap"}, "cost: 'cheap'"),
    "negative cost": ({"cost": "-1"}, "cost"),
    "missing file": ({"file": "none.png"}, "none.png"),
    "no file": ({"file": ""}, "at least one file"),
    "outside": ({"file": "../../../../../../etc/hostname"}, "inside"),
    "absolute": ({"file": "/etc/hostname"}, "inside"),
    "NUL in a path": ({"file": "a\0.png"}, "file"),
    "other media": ({"file": "map.toml"}, "operation"),
    "model": ({"model": ""}, "model"),
    "long model": ({"model": "m" * 300}, "model"),
    "label": ({"team": "a\nb"}, "label"),
}


@pytest.mark.parametrize("name", [name for name in BAD if name != "NUL in a path"])
def test_a_bad_row_is_told_with_its_number_and_stops_no_other(registry, table, mapped, name):
    row, expected = BAD[name]

    found = list(import_rows(registry, table({}, row, {"id": "req-3"}), mapped(), Terms()))

    assert [one.state for one in found] == ["imported", "refused", "imported"]
    assert found[1].number == 2 and expected in found[1].why


@pytest.mark.parametrize("name", [name for name in BAD if name not in ("label", "other media", "long model")])
def test_a_dry_run_tells_the_same_of_json_lines(table, mapped, name):
    row, expected = BAD[name]

    found = list(import_rows(None, table({}, row, {}, name="t.jsonl"), mapped(), Terms(), dry_run=True))

    assert [one.state for one in found] == ["imported", "refused", "imported"]
    assert expected in found[1].why


def test_a_call_that_failed_needs_no_file(registry, table, mapped):
    (done,) = import_rows(registry, table({"state": "nsfw", "file": ""}), mapped(), Terms())

    outcome = registry.catalog.manifest(done.id).outcome
    assert (outcome.class_, outcome.state) == ("blocked", "failed")


def test_json_keeps_its_types_and_its_digits(registry, table, mapped):
    row = {"steps": 1.0, "raw": False, "size": "20", "seed": 18446744073709551615, "cost": 0.1}

    (done,) = import_rows(registry, table(row, name="t.jsonl"), mapped(), Terms())

    manifest = registry.catalog.manifest(done.id)
    assert manifest.settings == {"steps": {"$num": "1.0"}, "raw": False, "size": "20"}
    assert (manifest.seed.requested, manifest.cost.amount) == ("18446744073709551615", "0.1")


def test_members_of_members_in_json_lines(registry, table, mapped):
    text = MAP.replace('prompt = "prompt"', 'prompt = "input.prompt"')

    (done,) = import_rows(registry, table({"input": {"prompt": "deep"}}, name="t.jsonl"), mapped(text), Terms())

    assert "deep" in [one.value for one in registry.vault.get(done.id)]


def test_bad_lines_of_json(table, mapped, tmp_path):
    path = table({}, name="t.jsonl")
    path.write_text(path.read_text() + '{"a": 1, "a": 2}\n[1]\n\n{"a": NaN}\nnot json\n' + path.read_text())

    found = list(import_rows(None, path, mapped(), Terms(), dry_run=True))

    assert [(one.number, one.line, one.state) for one in found] == [
        (1, 1, "imported"), (2, 2, "refused"), (3, 3, "refused"),
        (4, 5, "refused"), (5, 6, "refused"), (6, 7, "imported"),
    ]  # fmt: skip


def test_rows_of_other_lengths_are_refused(table, mapped):
    path = table({}, {})
    path.write_text(path.read_text() + "too,short\n" + ",".join(["x"] * 20) + "\n")

    states = [one.state for one in import_rows(None, path, mapped(), Terms(), dry_run=True)]

    assert states == ["imported", "imported", "refused", "refused"]


def test_a_row_over_several_lines_is_told_by_the_line_it_ends_on(table, mapped):
    path = table({"prompt": "one\ntwo\nthree"}, {"state": "no"})

    found = list(import_rows(None, path, mapped(), Terms(), dry_run=True))

    assert [(one.number, one.line) for one in found] == [(1, 4), (2, 5)]


def test_delimiter_encoding_root_and_times_of_a_map(registry, tmp_path, picture, mapped):
    (tmp_path / "media").mkdir()
    picture("media/b.png")
    (tmp_path / "lists").mkdir()
    path = tmp_path / "lists" / "t.csv"
    path.write_text("m;p;f;t\nm-1;Brücke;b.png;1777630200500\n", "latin-1")
    text = """
    columns = { model = "m", prompt = "p", output = "f", submitted_at = "t" }
    constants = { provider = "vendor" }
    files = { root = "../media" }
    csv = { delimiter = ";", encoding = "latin-1" }
    time = { form = "unix-ms" }
    """

    (done,) = import_rows(registry, path, mapped(text), Terms())

    assert registry.catalog.manifest(done.id).outcome.submitted_at == "2026-05-01T10:10:00.500Z"
    assert "Brücke" in [one.value for one in registry.vault.get(done.id)]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "a heading"),
        (b"model,model\n", "twice"),
        (b"\xff\xff\n", "no text"),
        (b'a,b\n"x', "no CSV"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, mapped, content, expected):
    (tmp_path / "t.csv").write_bytes(content)

    with pytest.raises((BadTable, BadMap), match=expected):
        list(
            import_rows(
                None, tmp_path / "t.csv", mapped("constants = { provider = 'v', model = 'm' }"), Terms(), dry_run=True
            )
        )


def test_a_column_that_is_not_there(table, mapped):
    with pytest.raises(BadMap, match="no column 'team'"):
        list(
            import_rows(
                None, table({}, heading=[name for name in ROW if name != "team"]), mapped(), Terms(), dry_run=True
            )
        )


def test_terms_of_the_import_and_of_the_row(registry, table, mapped):
    text = (
        MAP.replace("[columns]\n", '[columns]\nlicense = "size"\ncommercial_use = "team"\n')
        + '[values.commercial_use]\nweb = "allowed"\n'
    )
    terms = Terms(
        workflow="old", labels={"source": "list", "team": "none"}, license=License(id="x", commercial_use="denied")
    )

    (said,) = import_rows(registry, table({}), mapped(text), terms)
    (plain,) = import_rows(registry, table({"id": "r"}), mapped(), terms)

    said, plain = registry.catalog.manifest(said.id), registry.catalog.manifest(plain.id)
    assert (said.license.id, said.license.commercial_use) == ("1024x1024", "allowed")
    assert (plain.license.id, plain.license.commercial_use) == ("x", "denied")
    assert plain.labels == {"source": "list", "team": "web"} and plain.context.workflow == "old"


def test_a_link_does_not_lead_out_of_the_folder(registry, table, mapped, tmp_path, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "secret.txt"
    outside.write_text("a secret that reads like a transcript")
    (tmp_path / "link.txt").symlink_to(outside)

    (found,) = import_rows(registry, table({"file": "link.txt"}), mapped(), Terms())

    assert found.state == "refused" and "inside" in found.why
