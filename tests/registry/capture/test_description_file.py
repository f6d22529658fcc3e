"""A description with a mistake is refused, and the message shows where and what was expected."""

import pytest

from registry.capture.description import load, shipped
from registry.capture.errors import BadDescription

GOOD = """\
# a remark
id = "painter"
provider = "painter"
base_url = "https://api.painter.example"
hosts = ["api.painter.example"]
operation = "image.generate"
auth = { header = "Authorization", value = "Bearer {secret}", secret = "PAINTER_KEY" }
pin = [
  { kind = "snapshot", pattern = "painter-[0-9]+" },
  { kind = "hash", pattern = "[0-9a-f]{64}" },
]
caps = { seed = true, idempotency = false, webhook = false, echoes_model = false }
public = []
template = { body = {} }

[submit]
match = "POST /v1/images"

[submit.slots]
model = "body.model"
"prompt" = "body.prompt"

[pins]
painter = ["painter-2"]

[retires]
"painter-1" = 2026-09-24

[data]
retention_days = 3

[output]
kind = "url"
expr = "body.url"

[[errors]]
when = "status == `429`"
class = "retryable"

[facts]
served_model = "body.made_by"
run_ms = { expr = "body.logs", regex = "([0-9]+) ms" }
"""


def refusal(tmp_path, old, new, name="painter.toml"):
    assert GOOD.count(old) == 1
    path = tmp_path / name
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(BadDescription) as caught:
        load(path)
    assert caught.value.file == path
    assert str(caught.value).startswith(f"{path}:{caught.value.line}: ")
    assert caught.value.exit_code == 2
    return caught.value


def test_the_good_one_loads_with_a_native_date(tmp_path):
    path = tmp_path / "painter.toml"
    path.write_text(GOOD, encoding="utf-8")

    assert load(path).retires["painter-1"].isoformat() == "2026-09-24"


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "expected"),
    [
        ("body = {} }", 'body = {}, path = { api = "v1" } }', 14, "template.path.api", "a hole of submit.match"),
        ('"painter-[0-9]+" }', '"painter-[0-9]+", slot = "version" }', 9, "pin.0.slot", "model, prompt"),
        ("[facts]", '[events]\nlast = ["x"]\nanswer = "last["\n\n[facts]', 42, "events.answer", "a JMESPath"),
        ("[facts]", '[webhook]\nscheme = "shared-header"\nsecret = "S"\n\n[facts]', 40, "webhook", "'header'"),
        ('operation = "image.generate"', 'operation = "image.make"', 6, "operation", "image.generate"),
        ('operation = "image.generate"', 'operatoin = "image.generate"', 6, "operatoin", "did you mean 'operation'"),
        ('provider = "painter"\n', "", 1, "", "the key 'provider', which is missing"),
        ('match = "POST /v1/images"', 'mach = "POST /v1/images"', 17, "submit.mach", "did you mean 'match'"),
        ('model = "body.model"', 'model = "model"', 20, "submit.slots.model", "does not match"),
        ('"prompt" = "body.prompt"', '"Prompt" = "body.prompt"', 19, "submit.slots", "Prompt"),
        ('kind = "hash"', 'kind = "alias"', 10, "pin.1.kind", "snapshot"),
        ('"[0-9a-f]{64}"', '"[0-9a-f"', 10, "pin.1.pattern", "a regular expression"),
        ("seed = true", 'seed = "yes"', 12, "caps.seed", "boolean"),
        ("retention_days = 3", "retention_days = -3", 30, "data.retention_days", "minimum of 0"),
        ("retention_days = 3", "retention_days = 12:30:00", 30, "data.retention_days", "a value that JSON has"),
        ("2026-09-24", '"2026-02-30"', 27, "retires.painter-1", "a day of the calendar"),
        ('["painter-2"]', '["painter-two"]', 24, "pins.painter", "no pin pattern matches 'painter-two'"),
        ("painter = [", '"painter-9" = [', 24, "pins.painter-9", "an exact version itself"),
        ('hosts = ["api.painter.example"]', 'hosts = ["cdn.example"]', 4, "base_url", "a host that hosts names"),
        ('match = "POST /v1/images"', 'match = "LOCAL /v1"', 4, "base_url", "a LOCAL operation has no address"),
        ('"Bearer {secret}"', '"Bearer sk-1"', 7, "auth.value", "does not match"),
        ('id = "painter"', 'id = "etcher"', 2, "id", "'painter', as the file is called painter.toml"),
        ("public = []", "public = [", 14, "", "TOML"),
        ("[data]", "[data", 29, "", "TOML"),
        ('expr = "body.url"', 'expr = "body..url"', 34, "output.expr", "a JMESPath expression"),
        ("status == `429`", "status = `429`", 37, "errors.0.when", "a JMESPath expression"),
        ('"([0-9]+) ms"', '"[0-9]+ ms"', 42, "facts.run_ms", "with a group around the fact"),
        ('"([0-9]+) ms"', '"([0-9]+ ms"', 42, "facts.run_ms", "a regular expression"),
        ('kind = "url"', 'kind = "bytes"\npath = "/f/{job}"', 34, "output.path", "expected submit.job"),
        ('match = "POST /v1/images"', 'match = "POST /v1/{model}"', 19, "submit.slots", "a slot at path.model"),
        ('model = "body.model"', 'model = "path.model"', 17, "submit.match", "{model}, as a slot stands at path.model"),
        ('match = "POST /v1/images"', 'match = "POST /v1/images"\ncount = "n"', 18, "submit.count", "model, prompt"),
        ("[data]", '[inputs]\nimage = { at = "body.i", as = "upload" }\n[data]', 29, "inputs", "a table [upload]"),
    ],
)
def test_a_mistake_is_shown_by_line_and_key(tmp_path, old, new, line, key, expected):
    refused = refusal(tmp_path, old, new)

    assert (refused.line, refused.key) == (line, key)
    assert expected in refused.expected


def test_the_first_mistake_of_the_file_is_shown(tmp_path):
    refused = refusal(tmp_path, 'operation = "image.generate"', 'operation = 3\nhoasts = ["x"]')

    assert refused.key == "operation"


def test_a_missing_file_and_wrong_bytes_are_refused_the_same_way(tmp_path):
    with pytest.raises(BadDescription, match=r"nothing\.toml:1: file: cannot be read"):
        load(tmp_path / "nothing.toml")
    (tmp_path / "latin.toml").write_bytes(b'id = "a"\nprovider = "\xe9"\n')
    with pytest.raises(BadDescription, match=r"latin\.toml:2: file: expected UTF-8"):
        load(tmp_path / "latin.toml")


def test_shipped_files_are_read_once():
    assert shipped() is shipped()
