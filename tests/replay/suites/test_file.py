"""Suite files: what is right is read, every mistake names its line and key, and nothing ever tracebacks."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.suites.file import SuiteUnreadable, parse_suite, read_suite
from replay.suites.loading import BadSuite
from replay.suites.plan import Amount, MinPower

HEAD = "format: mintmark/suite/v1\nname: shop\nselect:\n  - labels: {app: shop}\n"
EDIT = HEAD + "policies:\n  image.edit: "
SELECT = "format: mintmark/suite/v1\nname: a\nselect:\n"
WHOLE = """\
format: mintmark/suite/v1
name: storefront-images
select:
  - labels: {app: storefront, golden: "true"}
  - manifest: sha256:0123456789ab
target: {model: gpt-image-3}
policies:
  image.generate: {level: statistical, alpha: 0.05, replays: {baseline: 6, gate: 3, max: 12},
                   min_power: {power: 0.8, effect: lightness, size: 8}}
  image.edit:       {level: perceptual, limits: {ssim: {min: 0.98}}}
  audio.transcribe: {level: semantic, limits: {wer.norm: {max: 0.03}, boundary_shift_ms.p95: {max: 150}}}
manifests:
  "sha256:0123456789ab": {level: bytes}
allow_alias: true
may_send_to: [google]
budget: {amount: "5.00", currency: USD}
allow: {not_replayable: 1, undecided: 2}
"""


def parse(text):
    return parse_suite(Path("suite.yaml"), text.encode() if isinstance(text, str) else text)


def test_a_whole_suite_is_read():
    suite = parse(WHOLE)

    assert (suite.name, len(suite.select), suite.target.model) == ("storefront-images", 2, "gpt-image-3")
    image = suite.policies["image.generate"]
    assert (image.level, image.alpha, image.replays.gate, image.looks) == ("statistical", 0.05, 3, (5, 8, 12))
    assert image.min_power == MinPower(power=0.8, effect="lightness", size=8)
    assert suite.policies["image.edit"].ranges["ssim"].min == 0.98
    assert suite.manifests["sha256:0123456789ab"].level == "bytes"
    assert (suite.allow_alias, suite.may_send_to, suite.allow.undecided) == (True, ("google",), 2)
    assert suite.budget == Amount(amount="5.00", currency="USD")


MISTAKES = {
    "unknown key": (HEAD + "polices: {}\n", 5, "polices", "policies"),
    "unknown key of a policy": (EDIT + "{levle: bytes}\n", 6, "policies.image.edit.levle", "level"),
    "unknown level": (EDIT + "\n    level: exact\n", 7, "policies.image.edit.level", "semantic"),
    "operation in capitals": (HEAD + "policies:\n  Image: {}\n", 6, "policies.Image", "medium.verb"),
    "operation with a typo": (HEAD + "policies:\n  image.generat: {}\n", 6, "policies.image.generat", "image.generate"),
    "no such score": (EDIT + "{limits: {sssim: {min: 0.9}}}\n", 6, "limits.sssim", "known: msssim, ssim"),
    "a score of another version": (EDIT + "{limits: {ssim/7: {min: 0.9}}}\n", 6, "limits.ssim/7", "known: ssim/1"),
    "a metric that is no score": (EDIT + "{limits: {psnr: {min: 30}}}\n", 6, "limits.psnr", "psnr.rgb"),
    "never reached": (EDIT + "{limits: {ssim: {min: 1.1}}}\n", 6, "limits.ssim", "1 at most"),
    "never kept": (EDIT + "{limits: {wer.norm: {max: -0.1}}}\n", 6, "limits.wer.norm", "0 at least"),
    "max where min is meant": (EDIT + "{limits: {ssim: {max: 0.999}}}\n", 6, "limits.ssim", "higher is better"),
    "min where max is meant": (EDIT + "{limits: {phash: {min: 0}}}\n", 6, "limits.phash", "lower is better"),
    "alpha of one": (EDIT + "{alpha: 1}\n", 6, "policies.image.edit.alpha", "between 0 and 1"),
    "limit without ends": (EDIT + "{limits: {ssim: {}}}\n", 6, "limits.ssim", "min, max"),
    "limit upside down": (EDIT + "{limits: {ssim: {min: 2, max: 1}}}\n", 6, "limits.ssim", "above"),
    "gate above max": (EDIT + "{replays: {gate: 9, max: 5}}\n", 6, "replays", "above max"),
    "power by a number": (EDIT + "{min_power: {power: 0.8, effect: 1.0}}\n", 6, "effect", "lightness"),
    "label as boolean": (SELECT + "  - labels: {golden: true}\n", 4, "select[0].labels.golden", "in quotes"),
    "empty condition": (SELECT + "  - {}\n", 4, "select[0]", "manifest"),
    "nothing selected": ("format: mintmark/suite/v1\nname: a\nselect: []\n", 3, "select", "at least one"),
    "no format": ("name: a\nselect: []\n", 1, "format", "mintmark/suite/v1"),
    "other format": ("format: mintmark/suite/v2\nname: a\nselect: []\n", 1, "format", "mintmark/suite/v1"),
    "a list": ("- a\n", 1, "the file", "mapping"),
    "a key twice": (HEAD + "name: b\n", 5, "the file", "duplicate"),
    "no YAML": (HEAD + "policies: {image.edit: [\n", None, "the file", "YAML"),
    "money as words": (HEAD + "budget: {amount: five, currency: USD}\n", 5, "budget.amount", '"5.00"'),
    "no currency": (HEAD + "budget: {amount: 5}\n", 5, "budget.currency", "USD"),
    "no boolean": (HEAD + "allow_alias: maybe\n", 5, "allow_alias", "true or false"),
    "a boolean with an anchor": (EDIT + "{replays: {gate: &a true}}\n", 6, "replays.gate", "not true"),
    "half a replay": (EDIT + "{replays: {gate: 1.5}}\n", 6, "replays.gate", "whole number"),
    "target not there": (HEAD + "target:\n  provider: opanai\n  model: x\n", 6, "target.provider", "openai, "),
    "target without a model": (HEAD + "target: {provider: openai}\n", 5, "target.model", "a `provider` needs one;"),
    "no number at all": (EDIT + "{limits: {ssim: {min: .nan}}}\n", 6, "ssim.min", "a number"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_names_line_key_and_what_is_allowed(name):
    text, line, key, allowed = MISTAKES[name]

    with pytest.raises(BadSuite) as problem:
        parse(text)

    said = str(problem.value)
    assert said.startswith("suite.yaml") and key in said and allowed in said, said
    assert line is None or f"line {line}:" in said, said
    assert problem.value.exit_code == 2


WRONG = {
    "2026-01-01": "2026-01-01; put it in quotes", "2026-01-01T10:00:00Z": "2026-01-01T10:00:00", "true": "true",
    "&a true": "true; put it in quotes", "&b false": "false; put it in quotes",
    ".nan": ".nan", "-.inf": "-.inf", "1e400": ".inf", "0x1f": "31", "1.5": "1.5", "[1, {a: b}]": "a list",
    "{a: {b: c}}": "a mapping", "!!set {a, b}": "a set", "!!omap [a: 1]": "a mapping", "!!binary aGk=": "binary data",
    "!foo bar": "bar with the tag !foo",  "~": "nothing", '""': '""',
}  # fmt: skip
PYTHON = ["None", "True", "datetime", "Scalar", "odict", "ordered", "b'", " nan", "{'", "['", "Error", "(2026", "tag:"]
PLACES = [
    "name: %s\n", HEAD.replace("shop}", "%s}"), HEAD + "target: {model: %s}\n", HEAD + "may_send_to: [%s]\n",
    HEAD + "budget: {amount: 1, currency: %s}\n", HEAD.replace("mintmark/suite/v1", "%s"),
    HEAD + "target: {%s: x}\n", HEAD + "manifests: {%s: {}}\n", HEAD + "policies: %s\n", HEAD + "name: %s\n",
    EDIT + "{level: %s}\n", EDIT + "{limits: {ssim: {min: %s}}}\n", EDIT + "{replays: {gate: %s}}\n",
]  # fmt: skip


@pytest.mark.parametrize("value", WRONG)
def test_what_stands_in_the_wrong_place_is_shown_as_the_file_has_it(value):
    with pytest.raises(BadSuite) as problem:
        parse(SELECT + f"  - workflow: {value}\n    operation: [x]\n")
    assert value == "~" or f"not {WRONG[value]}" in str(problem.value), problem.value
    for place in PLACES:
        try:
            parse(place.replace("%s", value))
        except BadSuite as told:
            words = str(told).replace("shop", "")
            assert not [one for one in PYTHON if one in words], words


def test_limits_take_names_with_their_version():
    limits = (
        parse(EDIT + "{limits: {ssim/1: {min: -1}, wer.norm/1/english/1: {max: 2}}}\n").policies["image.edit"].limits
    )

    assert set(limits) == {"ssim/1", "wer.norm/1/english/1"}


def test_an_anchor_leaves_a_boolean_one():
    assert parse(HEAD + "allow_alias: &yes true\n").allow_alias is True
    assert parse(HEAD + "allow_alias: &no false\n").allow_alias is False


def test_money_may_be_a_number():
    assert parse(HEAD + "budget: {amount: 5, currency: USD}\n").budget.amount == "5"
    assert parse(HEAD + "budget: {amount: 0.25, currency: EUR}\n").budget.amount == "0.25"


def test_a_missing_file_and_a_folder_are_told(tmp_path):
    for path in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(SuiteUnreadable, match="suite new"):
            read_suite(path)


HOSTILE = [
    b"\xff\xfe", b"\x00", b"!!python/object/apply:os.system [ls]", b"a: &a [*a]", b"? {a: b}\n: c",
    b"[" * 500000, b"{" * 3000, b"- " * 5000, b"? " * 5000, b"\n".join(b" " * n + b"a:" for n in range(3000)),
    b"a: " + b"[" * 2000 + b"]" * 2000, b"%YAML 9.9\n---\na", b"---\n---\n", b"", b"x" * (3 << 20),
    b"format: !!binary x", b"x: 2026-99-99", b"x: 0x" + b"f" * 5000, b"x: 1e99999", b"<<: 3", b"a: *b",
]  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_files_are_refused_in_words(data):
    with pytest.raises(BadSuite, match=r"suite\.yaml"):
        parse(data)
    if data:  # no policies at all are fine
        with pytest.raises(BadSuite, match=r"suite\.yaml"):
            parse(HEAD.encode() + b"policies: " + data.replace(b"\n", b"\n  "))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 40), st.text(max_size=12))
def test_whatever_is_written_into_a_suite_it_is_read_or_refused(at, gone, put):
    try:
        parse(WHOLE[:at] + put + WHOLE[at + gone :])
    except BadSuite as problem:
        assert str(problem).startswith("suite.yaml")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with pytest.raises(BadSuite):
        parse(data)
