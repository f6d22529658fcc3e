"""A description with a mistake is refused, and the message shows where and what was expected."""

import hashlib
from importlib import resources

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
        ("body = {} }", 'body = {}, path = { api = "v1" } }', 14, "template.path.api", "a name that submit.match has"),
        ('"painter-[0-9]+" }', '"painter-[0-9]+", slot = "version" }', 9, "pin.0.slot", "model, prompt"),
        ("[facts]", '[events]\nlast = ["x"]\nanswer = "last["\n\n[facts]', 42, "events.answer", "a JMESPath"),
        ("[facts]", '[webhook]\nscheme = "shared-header"\nsecret = "S"\n\n[facts]', 40, "webhook", "'header'"),
        ('operation = "image.generate"', 'operation = "image.make"', 6, "operation", "image.generate"),
        ('operation = "image.generate"', 'operatoin = "image.generate"', 6, "operatoin", "did you mean 'operation'"),
        ('provider = "painter"\n', "", 1, "", "the key 'provider', missing here"),
        ('match = "POST /v1/images"', 'mach = "POST /v1/images"', 17, "submit.mach", "did you mean 'match'"),
        ('model = "body.model"', 'model = "model"', 20, "submit.slots.model", "a place in the request"),
        ('"prompt" = "body.prompt"', '"Prompt" = "body.prompt"', 21, "submit.slots.Prompt", 'not "Prompt"'),
        ('kind = "hash"', 'kind = "alias"', 10, "pin.1.kind", "snapshot"),
        ('"[0-9a-f]{64}"', '"[0-9a-f"', 10, "pin.1.pattern", "a regular expression"),
        ("seed = true", 'seed = "yes"', 12, "caps.seed", "true or false"),
        ("retention_days = 3", "retention_days = -3", 30, "data.retention_days", "0 or more"),
        ("retention_days = 3", "retention_days = 12:30:00", 30, "data.retention_days", "not the moment 12:30"),
        ("2026-09-24", '"2026-02-30"', 27, "retires.painter-1", "a day of the calendar"),
        ('["painter-2"]', '["painter-two"]', 24, "pins.painter", "no pin pattern matches 'painter-two'"),
        ("painter = [", '"painter-9" = [', 24, "pins.painter-9", "an exact version itself"),
        ('hosts = ["api.painter.example"]', 'hosts = ["cdn.example"]', 4, "base_url", "a host that hosts names"),
        ('match = "POST /v1/images"', 'match = "LOCAL /v1"', 4, "base_url", "a LOCAL operation has no address"),
        ('"Bearer {secret}"', '"Bearer sk-1"', 7, "auth.value", "such as Bearer {secret}"),
        ('id = "painter"', 'id = "etcher"', 2, "id", "'painter', as the file is called painter.toml"),
        ("public = []", "public = [", 14, "public", "TOML"),
        ("[data]", "[data", 29, "", "TOML"),
        ('expr = "body.url"', 'expr = "body..url"', 34, "output.expr", "a JMESPath expression"),
        ("status == `429`", "status = `429`", 37, "errors.0.when", "a JMESPath expression"),
        ('"([0-9]+) ms"', '"[0-9]+ ms"', 42, "facts.run_ms", "with a group around the fact"),
        ('"([0-9]+) ms"', '"([0-9]+ ms"', 42, "facts.run_ms", "a regular expression"),
        ('kind = "url"', 'kind = "bytes"\npath = "/f/{job}"', 34, "output.path", "expected submit.job"),
        ('match = "POST /v1/images"', 'match = "POST /v1/{model}"', 19, "submit.slots", "a slot at path.model"),
        ('model = "body.model"', 'model = "path.model"', 17, "submit.match", "{model}, as a slot stands at path.model"),
        ('match = "POST /v1/images"', 'match = "POST /v1/images"\ncount = "n"', 18, "submit.count", "model, prompt"),
        ('"https://api.painter.example"', '"http://api.painter.example"', 4, "base_url", "expected https://"),
        ("public = []", 'public = ["body.size", "body.prompt"]', 13, "public.1", "expected no place of prompt"),
        ("webhook = false", "webhook = true", 12, "caps.webhook", "a table [webhook]"),
        ("seed = true", "seed = true, seed = false", 12, "caps", "TOML"),
        ("public = []", "public = []\npublic = []", 14, "public", "TOML"),
        (
            'class = "retryable"',
            'class = "later"',
            38,
            "errors.0.class",
            '"retryable", "timeout", "ambiguous", "failed"',
        ),
        ('expr = "body.url"', 'expr = "body..url"', 34, "output.expr", "not 'body..url': Expecting: "),
        ("[data]", '[inputs]\nimage = { at = "body.i", as = "upload" }\n[data]', 29, "inputs", "a table [upload]"),
    ],
)
def test_a_mistake_is_shown_by_line_and_key(tmp_path, old, new, line, key, expected):
    refused = refusal(tmp_path, old, new)

    assert (refused.line, refused.key) == (line, key)
    assert expected in refused.expected


@pytest.mark.parametrize(
    ("lines", "line", "key", "expected"),
    [
        ('idempotency = "Authorization"', 17, "submit.idempotency", "a header of its own, not one that every request"),
        ('idempotency = "Once"\nheaders = { once = "1" }', 18, "submit.headers.once", "every request writes itself"),
    ],
)
def test_the_header_by_which_requests_are_told_apart_is_nobody_elses(tmp_path, lines, line, key, expected):
    text = GOOD.replace("idempotency = false", "idempotency = true").replace("[submit]\n", f"[submit]\n{lines}\n")
    (tmp_path / "painter.toml").write_text(text, encoding="utf-8")

    with pytest.raises(BadDescription) as caught:
        load(tmp_path / "painter.toml")

    assert (caught.value.line, caught.value.key) == (line, key)
    assert expected in caught.value.expected


@pytest.mark.parametrize("headers", ['"X-V" = ""', '"X-V" = "a\\tb c"', '"X-V" = "!~{}"'])
@pytest.mark.parametrize("currency", ["USD", "credits", "bfl-credits", "us"])
def test_what_headers_and_currencies_can_be_is_taken(tmp_path, headers, currency):
    cost = f'cost = {{ amount = "body.cost", currency = "{currency}" }}'
    text = GOOD.replace("[submit]\n", f"[submit]\nheaders = {{ {headers} }}\n").replace(
        "[facts]\n", f"[facts]\n{cost}\n"
    )
    (tmp_path / "painter.toml").write_text(text, encoding="utf-8")

    assert load(tmp_path / "painter.toml").protocol.currency == currency


SECOND = """\
id = "painter-edits"
like = "painter"
operation = "image.edit"
pin = [{ kind = "snapshot", pattern = "painter-[0-9]+" }]
retires = {}

[submit]
match = "POST /v1/edits"
slots = { model = "body.model" }
"""


@pytest.fixture
def pair(tmp_path):
    """A description and a second one that is like it; ``pair(old, new)`` loads the second with a change."""
    (tmp_path / "painter.toml").write_text(GOOD, encoding="utf-8")

    def second(old="", new=""):
        path = tmp_path / "painter-edits.toml"
        path.write_text(SECOND.replace(old, new) if old else SECOND, encoding="utf-8")
        return load(path)

    return second


def test_what_a_file_does_not_name_comes_whole_from_the_one_it_is_like(pair, tmp_path):
    first, second = load(tmp_path / "painter.toml"), pair()

    assert (second.id, second.provider, second.hosts) == ("painter-edits", "painter", first.hosts)
    assert (second.operation, second.path, dict(second.slots)) == ("image.edit", "/v1/edits", {"model": "body.model"})
    assert second.protocol.outputs == first.protocol.outputs and second.pins == first.pins
    assert first.retires and not second.retires  # an empty table leaves it out


def test_the_digest_of_a_file_that_is_like_another_covers_both(pair, tmp_path):
    first, second = tmp_path / "painter.toml", tmp_path / "painter-edits.toml"
    before = pair().sha256
    both = second.read_bytes() + hashlib.sha256(first.read_bytes()).digest()

    assert before == hashlib.sha256(both).hexdigest()
    first.write_text(GOOD.replace("# a remark", "# another"), encoding="utf-8")
    assert pair().sha256 != before


def test_a_file_of_ones_own_may_be_like_a_shipped_one(tmp_path):
    path = tmp_path / "openai-sketches.toml"
    path.write_text('id = "openai-sketches"\nlike = "openai-images"\nmodels = ["sketch-*"]\n', encoding="utf-8")
    images = shipped().by_id("openai-images")

    found = load(path)

    assert (found.provider, found.auth, found.path) == ("openai", images.auth, images.path)
    assert found.takes_model("sketch-1") and not found.takes_model("gpt-image-2")


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "expected"),
    [
        ('like = "painter"', 'like = "nobody"', 2, "like", "the id of another description"),
        ('like = "painter"', 'like = "painter-edits"', 2, "like", "the id of another description"),
        ('like = "painter"', 'like = "openai-image-edits"', 2, "like", "a description that stands by itself"),
        ('like = "painter"', "like = 3", 2, "like", "text in quotes"),
        ('like = "painter"', 'provider = "etcher"\nlike = "painter"', 2, "provider", "expected 'painter'"),
        ('match = "POST', 'count = "n"\nmatch = "POST', 8, "submit.count", "the name of a slot: model"),
        ('"painter-[0-9]+"', '"etcher-[0-9]+"', 2, "pins.painter", "(taken from painter)"),
    ],
)  # fmt: skip
def test_a_mistake_of_two_files_is_shown_where_one_leans_on_the_other(pair, old, new, line, key, expected):
    with pytest.raises(BadDescription) as caught:
        pair(old, new)

    assert (caught.value.line, caught.value.key) == (line, key)
    assert expected in caught.value.expected


def test_a_vendors_facts_stand_once_and_an_operation_takes_thirty_lines():
    with resources.as_file(resources.files("registry.capture") / "descriptions") as folder:
        texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))]
    lines = [line for text in texts for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    operations = [(one.id, made) for one in shipped() for made in set(one.operations.values())]

    assert len(operations) >= 20
    assert len(lines) / len(operations) <= 30


def test_the_first_mistake_of_the_file_is_shown(tmp_path):
    refused = refusal(tmp_path, 'operation = "image.generate"', 'operation = 3\nhoasts = ["x"]')

    assert refused.key == "operation"


def test_a_missing_file_and_wrong_bytes_are_refused_the_same_way(tmp_path):
    with pytest.raises(BadDescription, match=r"nothing\.toml:1: file: expected a TOML file"):
        load(tmp_path / "nothing.toml")
    (tmp_path / "latin.toml").write_bytes(b'id = "a"\nprovider = "\xe9"\n')
    with pytest.raises(BadDescription, match=r"latin\.toml:2: file: expected UTF-8"):
        load(tmp_path / "latin.toml")


def test_shipped_files_are_read_once():
    assert shipped() is shipped()
