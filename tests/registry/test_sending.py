"""What mintmark.toml says of sending: rates, and who may see another's prompts; mistakes name file and key."""

import pytest

from registry.errors import InvalidValue
from registry.sending import Rate
from registry.settings import load_settings


@pytest.fixture
def stated(tmp_path):
    """Sending rules of a home whose ``mintmark.toml`` holds a text."""

    def load(text):
        (tmp_path / "mintmark.toml").write_text(text)
        return load_settings(tmp_path, {"USER": "x"}).sending

    return load


def test_rates_and_allowed_providers_are_read(stated):
    rules = stated('may_send_to = ["openai"]\n[rate."openai"]\nlimit = 50\nper_seconds = 60\n[rate.bfl]\nlimit = 1\n'
                   "per_seconds = 0.5\n")  # fmt: skip

    assert rules.rates == {"openai": Rate(50, 60_000), "bfl": Rate(1, 500)}
    assert rules.may_send_to == ("openai",)
    assert stated("").rates == {} and stated("").may_send_to == ()


def test_fallbacks_and_moderators_are_of_a_workflow_or_of_every_one(stated):
    rules = stated('[fallback]\nhero = ["bfl:flux-2-pro", "replicate:a/b:c"]\n"*" = ["fal:d"]\nplain = []\n'
                   '[moderate]\n"hero" = "openai"\n')  # fmt: skip

    assert rules.fallback_of("hero") == (("bfl", "flux-2-pro"), ("replicate", "a/b:c"))
    assert rules.fallback_of("other") == rules.fallback_of(None) == (("fal", "d"),)
    assert rules.fallback_of("plain") == (), "a workflow that has none"
    assert (rules.moderator_of("hero"), rules.moderator_of("other"), rules.moderator_of(None)) == ("openai", None, None)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("rate = 5", "mintmark.toml, rate"),
        ("[rate.openai]\nlimit = 5", 'rate."openai"'),
        ("[rate.openai]\nlimit = 0\nper_seconds = 1", 'rate."openai".limit'),
        ("[rate.openai]\nlimit = true\nper_seconds = 1", 'rate."openai".limit'),
        ("[rate.openai]\nlimit = 1\nper_seconds = 0", 'rate."openai".per_seconds'),
        ("[rate.openai]\nlimit = 1\nper_seconds = inf", 'rate."openai".per_seconds'),
        ('may_send_to = "openai"', "may_send_to"),
        ("may_send_to = [1]", "may_send_to"),
        ('fallback = ["bfl:flux-2-pro"]', "fallback"),
        ('[fallback]\nhero = "bfl:flux-2-pro"', 'fallback."hero"'),
        ('[fallback]\nhero = ["bfl"]', 'fallback."hero"'),
        ("[fallback]\nhero = [1]", 'fallback."hero"'),
        ('moderate = "openai"', "moderate"),
        ('[moderate]\nhero = "somebody"', 'moderate."hero"'),
        ("[moderate]\nhero = true", 'moderate."hero"'),
    ],
)
def test_a_mistake_names_file_and_key(stated, text, where):
    with pytest.raises(InvalidValue) as refused:
        stated(text)

    assert where in str(refused.value) and "mintmark.toml" in str(refused.value)
