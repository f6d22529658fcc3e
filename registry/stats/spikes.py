"""What is out of the ordinary right now: failures, spending and broken promises of one window of time."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from registry.canonical import JSON
from registry.home import Registry
from registry.notices import Event, Watch
from registry.stats.calls import Call, NothingThere, Selection, calls
from registry.stats.grouping import Grouping
from registry.stats.latency import latencies
from registry.stats.period import Period
from registry.times import moment_of, text_of

SPIKES: Final[tuple[Event, ...]] = ("failures.spike", "spend.spike", "slo.breached")
BEFORE: Final = 24  # windows that are the ordinary
LEAST: Final = 5  # failures, and calls before: fewer are chance
LEAST_WINDOWS: Final = 3  # in which money was spent before
_USUAL_SHARE: Final = Decimal("0.01")  # of calls fail where none did before
_NO_FAILURE: Final = frozenset({"succeeded", "blocked", "canceled"})


def window_of(watch: Watch, at: datetime) -> datetime:
    """When the window of a time began; windows lie edge to edge since 1970, so that all workers have the same."""
    length = watch.window_minutes * 60
    return datetime.fromtimestamp(at.timestamp() // length * length, UTC)


def spikes(registry: Registry, event: Event, start: datetime) -> list[JSON]:
    """What a window shows that is told as an event; empty where nothing is out of the ordinary.

    Args:
        registry: whose calls.
        event: of ``SPIKES``.
        start: of the window, as ``window_of`` gives it.

    Returns:
        ``failures.spike``: for each provider ``failed`` of ``calls`` and the ``usual`` share, where the share is more
        than ``factor`` times that of the 24 windows before. ``spend.spike``: for each currency what was ``spent`` and
        the ``usual`` amount, the mean of those windows in which money was spent. ``slo.breached``: the promises of a
        workflow that its calls in this window break.
    """
    watch = registry.settings.watch
    if event == "slo.breached":
        return list(_breached(registry, start, watch))
    before = start - BEFORE * timedelta(minutes=watch.window_minutes)
    made = [(moment_of(call.at), call) for call in
            _calls(registry, before, start, watch, replays=True)]  # fmt: skip
    found = _failing if event == "failures.spike" else _spending
    return list(found(made, start, watch))


def _calls(registry: Registry, since: datetime, start: datetime, watch: Watch, *, replays: bool) -> Iterator[Call]:
    period = Period(text_of(since), text_of(start + timedelta(minutes=watch.window_minutes)), UTC)
    try:
        for _, call in calls(registry, Selection(period, replays=replays)):
            yield call
    except NothingThere:
        return


def _failing(made: list[tuple[datetime, Call]], start: datetime, watch: Watch) -> Iterator[JSON]:
    count: Counter[tuple[str, bool, bool]] = Counter(
        (call.provider.name, at >= start, call.outcome.class_ not in _NO_FAILURE) for at, call in made
    )
    for provider in sorted({name for name, _, _ in count}):
        failed, earlier = count[provider, True, True], count[provider, False, True]
        total, before = failed + count[provider, True, False], earlier + count[provider, False, False]
        if failed < LEAST or before < LEAST:
            continue
        usual = Decimal(earlier) / before
        if Decimal(failed) / total > Decimal(str(watch.factor)) * max(usual, _USUAL_SHARE):
            yield {"provider": provider, "failed": failed, "calls": total, "usual": f"{usual:.4f}"}


def _spending(made: list[tuple[datetime, Call]], start: datetime, watch: Watch) -> Iterator[JSON]:
    sums: dict[str, dict[datetime, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for at, call in made:
        if call.cost.amount is not None and call.cost.currency is not None:
            sums[call.cost.currency][window_of(watch, at)] += Decimal(call.cost.amount)
    for currency, windows in sorted(sums.items()):
        spent = windows.pop(start, Decimal(0))
        earlier = [amount for amount in windows.values() if amount]
        if len(earlier) < LEAST_WINDOWS:
            continue
        usual = sum(earlier, Decimal(0)) / len(earlier)
        if spent > Decimal(str(watch.factor)) * usual:
            yield {"currency": currency, "spent": f"{spent:f}", "usual": f"{usual:.9f}".rstrip("0").rstrip(".")}


def _breached(registry: Registry, start: datetime, watch: Watch) -> Iterator[JSON]:
    here = ((str(n), call) for n, call in enumerate(_calls(registry, start, start, watch, replays=False)))
    _, promised = latencies(here, Grouping((), ()), registry.settings.holding.objectives)
    for workflow, figures in sorted(promised.items()):
        for one in figures:
            if one.answer == "missed":
                told = {"name": one.name, "limit": str(one.limit), "measured": f"{one.measured:g}"}
                yield {"workflow": workflow} | told
