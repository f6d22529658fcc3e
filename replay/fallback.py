"""Goes on to another provider where a call ends so that one may help: an ordered list, every attempt recorded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec

from registry.capture.description import Description, shipped
from registry.drafting import Draft, new_exchange_id
from registry.errors import InvalidValue, Refused
from registry.home import Registry
from registry.manifest import Outcome, Parent
from registry.pinning import check_pin
from registry.record import Recorded
from registry.sending import read_route
from registry.settings import FILE, Settings
from replay.consenting import Pay, Terms, agreed_in_turn
from replay.costing import worst_case_of
from replay.elsewhere import Change, MayNotSend, Untranslatable, check_may_send, translated
from replay.generating import Ask, ProviderUnknown, call, drafted, refused
from replay.outcome import EndState, OutcomeClass
from replay.providers import provider_for
from replay.providers.http.moderating import Verdict

HELPS: Final = frozenset(
    {
        OutcomeClass.AUTH,  # the key of one provider says nothing of the next
        OutcomeClass.QUOTA,
        OutcomeClass.RETRYABLE,
        OutcomeClass.TIMEOUT,
        OutcomeClass.FAILED,
        OutcomeClass.MALFORMED,
        OutcomeClass.EXPIRED,
        OutcomeClass.RETIRED,
        OutcomeClass.UNSUPPORTED,
    }
)
"""Ends after which the next provider is asked; see ``helps`` for one that does not always count.

Not among them: ``blocked`` and ``rejected`` (what was asked for has to change), ``ambiguous`` (it may have been carried
out; a person says), ``canceled`` (somebody wanted no more of it).
"""

Attempt: TypeAlias = tuple[Draft, Description]


class FallbackNotAllowed(Refused):
    """A fallback of mintmark.toml whose provider may not see the prompts of another."""

    def __init__(self, provider: str, first: str) -> None:
        """Name both and the two ways on."""
        super().__init__(
            f"{FILE} names {provider} as a fallback of {first}, and it would see the prompt; nothing was sent: "
            f'may_send_to = ["{provider}"] there permits it, and so does --fallback typed with this call'
        )


class FallbackUnusable(Refused):
    """A fallback that cannot be asked for the same."""

    def __init__(self, provider: str, model: str, why: str) -> None:
        """Name it and say why."""
        super().__init__(f"--fallback {provider}:{model} cannot be asked for this: {why}; nothing was sent")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked in turn, first things first; ``left_out`` are fallbacks of the settings that do not fit."""

    attempts: Sequence[Attempt]
    left_out: Sequence[str] = ()


def helps(outcome: Outcome) -> bool:
    """Whether to ask the next provider: not while the first may still be at it, and bill for it."""
    return outcome.class_ in HELPS and (outcome.class_, outcome.state) != (OutcomeClass.TIMEOUT, EndState.UNKNOWN)


def planned(registry: Registry, ask: Ask, typed: Sequence[str] = ()) -> Plan:
    """Finished requests for a provider and its fallbacks; sends nothing.

    What was typed goes before the list of the workflow in the settings, and is a permission to show the prompt.
    Settings that another provider does not have are left out of its request.

    Args:
        registry: whose settings name fallbacks.
        ask: what for.
        typed: fallbacks as ``provider:model``.

    Raises:
        ProviderUnknown, UnknownSlot, AmbiguousDescription, PinRequired: as ``replay.generating.drafted``.
        InvalidValue: no ``provider:model``, or one that is there already.
        FallbackNotAllowed, FallbackUnusable, SecretMissing: a fallback that could not be gone on with.
    """
    first = drafted(registry, ask)
    routes = [read_route("--fallback", text) for text in typed]
    for number, route in enumerate(routes):
        if route in [(ask.provider, ask.model), *routes[:number]]:
            raise InvalidValue("--fallback", ":".join(route), "one that is not asked already")
    if not typed:
        named = registry.settings.sending.fallback_of(ask.workflow)
        routes = [route for route in dict.fromkeys(named) if route != (ask.provider, ask.model)]
        _check_allowed(registry.settings, ask.provider, routes)
    attempts, left_out = [first], []
    for provider, model in routes:
        try:
            attempts.append(_redirected(registry, first, ask, provider, model))
        except Untranslatable as problem:  # a workflow makes more than one kind of thing: its list may not fit all
            if typed:
                raise FallbackUnusable(provider, model, str(problem)) from None
            left_out.append(f"{provider}:{model} ({problem})")
    if len(attempts) > 1:
        for _, description in attempts:
            provider_for(description)  # its key is there: better known now than when it is needed
    return Plan(attempts, left_out)


def _check_allowed(settings: Settings, first: str, routes: Sequence[tuple[str, str]]) -> None:
    for provider, _ in routes:
        try:
            check_may_send(settings, first, provider)
        except MayNotSend:
            raise FallbackNotAllowed(provider, first) from None


def _redirected(registry: Registry, first: Attempt, ask: Ask, provider: str, model: str) -> Attempt:
    """The first request as another provider takes it."""
    draft, description = first
    operation = description.operation_of(ask.model)
    if all(one.provider != provider for one in shipped()):
        raise ProviderUnknown(provider)
    draft = msgspec.structs.replace(draft, operation=operation, exchange_id=new_exchange_id())
    change = Change(model=model, provider=provider)
    made, other = translated(draft, description, change, ask.inputs, registry.settings.limits)
    shipped().check(provider, model=model, operation=operation)
    check_pin(registry.settings, other, model, made.settings)
    return made, other


def paid_for(registry: Registry, plan: Plan, ask: Ask, terms: Terms) -> list[Pay]:
    """How each attempt is paid for, all of them out of one budget; raises as ``replay.consenting.agreed``."""
    asked = [
        (description, draft.model.requested, worst_case_of(registry, draft, description, ask.inputs))
        for draft, description in plan.attempts
    ]
    return agreed_in_turn(registry, asked, terms)


def in_turn(
    registry: Registry,
    plan: Plan,
    ask: Ask,
    pays: Sequence[Pay],
    verdict: Verdict | None,
    failed: Callable[[Recorded, str], None],
) -> list[Recorded]:
    """Ask one after the other until one ends so that no other would help; each is recorded, linked to the first.

    Args:
        registry: where to.
        plan: who is asked.
        ask: what for.
        pays: how each is paid for.
        verdict: what a moderation model said of it, if it was asked; what it flagged is sent to nobody.
        failed: told of each generation that failed, and who is asked now.

    Returns:
        Every generation in order; the last one is what came of it.

    Raises:
        BudgetSpent, CallBusy, AnswerElsewhere: as ``replay.generating.call``; what was recorded before stays.
    """
    made: list[Recorded] = []
    for (draft, description), pay in zip(plan.attempts, pays, strict=True):
        if verdict is not None:
            draft = msgspec.structs.replace(draft, outcome=Outcome(moderation=verdict.to_json()))
            if verdict.flagged:
                return [refused(registry, draft, description, ask, _words(verdict))]
        if made:
            failed(made[-1], f"{draft.model.requested} of {draft.provider.name}")
            origin = Parent(id=made[0].id, relation="fallback")
            draft = msgspec.structs.replace(draft, parents=[*draft.parents, origin])
        made.append(call(registry, draft, description, ask.inputs, pay()))
        if not helps(made[-1].manifest.outcome):
            break
    return made


def _words(verdict: Verdict) -> str:
    said = ", ".join(verdict.categories) or "no category named"
    return f"not sent: {verdict.model} of {verdict.provider} flagged it ({said})"
