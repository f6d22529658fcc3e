"""What a request that cannot be written costs: nothing, and nothing stays set aside for it."""

from registry.journal.states import CallState
from replay.generating import Ask, generate
from replay.paying import Paying
from replay.preparing import AS_RECORDED, prepare, run_again
from replay.providers.http.channel import Channel


def test_a_request_that_cannot_be_written_sets_no_money_aside(local_registry, emulator, monkeypatch):
    made = generate(
        local_registry, Ask("openai", "gpt-image-2-2026-04-21", operation="image.generate", prompt="a coin")
    )
    ready, budget = prepare(local_registry, made.id, AS_RECORDED), local_registry.budgets.create(100, "USD")
    charged = emulator.charges("openai")
    opened = Channel.__init__

    def with_a_broken_header(self, place, key, headers, *more):
        opened(self, place, key, {**headers, "X-V": "späß"}, *more)

    monkeypatch.setattr(Channel, "__init__", with_a_broken_header)
    paying = Paying("call-0001", reserve=40, currency="USD", budget=budget, pause=lambda seconds: None)
    outcome = run_again(local_registry, ready, paying).manifest.outcome

    assert outcome.class_ == "unsupported", outcome.error
    assert local_registry.calls.get("call-0001").state is CallState.FAILED
    kept = local_registry.budgets.get(budget)
    assert (kept.reserved, kept.settled, emulator.charges("openai")) == (0, 0, charged)
