"""What every report says of a run: what to look at first, what counts as failed, words for numbers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, Literal, TypeAlias

from registry.canonical import JSON
from registry.times import moment_of

Result: TypeAlias = Mapping[str, JSON]
"""A run's result, as schemas/run/v1 describes it."""
Standing = Literal["failure", "error", "skipped", "passed"]

RELIABLE: Final = "smallest p to rely on (less is luck)"
"""What ``attainable`` is: by luck a p can be smaller."""
_FIRST: Final = ("drifted", "error", "undecided", "not-replayable", "within-noise", "reproduced")


def headline(result: Result) -> str:
    """The answer in one sentence, without the exit status."""
    reason = str(result["exit_reason"])
    return f"{reason[:1].upper()}{reason[1:]}"


def told(manifest: JSON) -> tuple[str, str]:
    """What became of a manifest, in a word and a sentence: its verdict, else its error.

    A verdict ``drifted`` goes before an error, an error before any other verdict, as exit statuses do.
    """
    verdict, error = manifest["verdict"], manifest["error"]
    if error is not None and (verdict is None or verdict["kind"] != "drifted"):
        return "error", f"{error['class']}: {error['why']}"
    if verdict is None:
        return "error", "The run ended before anything could be said of it."
    return verdict["kind"], verdict["sentence"]


def standing(manifest: JSON) -> Standing:
    """How a pipeline is to count a manifest: drift fails, what could not be answered is an error unless allowed."""
    kind, _ = told(manifest)
    if kind == "drifted":
        return "failure"
    if kind == "error":
        return "error"
    if kind in {"undecided", "not-replayable"}:
        return "skipped" if manifest["allowed"] else "error"
    return "passed"


def in_order(result: Result) -> list[JSON]:
    """The manifests, those first that a person must look at; in the run's own order among equals."""
    return sorted(result["manifests"], key=_urgency)


def _urgency(manifest: JSON) -> tuple[int, int]:
    return ("failure", "error", "skipped", "passed").index(standing(manifest)), _FIRST.index(told(manifest)[0])


def tally(result: Result) -> Mapping[str, int]:
    """How many manifests stand how, the most urgent word first."""
    found = Counter(told(manifest)[0] for manifest in result["manifests"])
    return {kind: found[kind] for kind in _FIRST if found[kind]}


def gate_standing(result: Result) -> Standing | None:
    """How the suite's gate counts; None where there was none.

    What it leaves undecided stands with its manifests, and is allowed where all of theirs is.
    """
    gate = result["gate"]
    if gate is None:
        return None
    if gate["verdict"] == "undecided":
        open_ = [one for one in result["manifests"] if one["id"] in gate["manifests"] and told(one)[0] == "undecided"]
        return "skipped" if all(one["allowed"] for one in open_) else "error"
    return "failure" if gate["verdict"] == "drifted" else "passed"


def money(amount: str | None, currency: str | None) -> str:
    """An amount with its currency; ``unknown`` where nobody knows it."""
    if amount is None:
        return "unknown"
    whole, _, parts = str(amount).partition(".")
    parts = parts.rstrip("0")
    return f"{int(whole):,}.{parts:0<2} {currency}" if parts else f"{int(whole):,}.00 {currency}"


def spent(result: Result) -> str:
    """What the run cost, by currency; sums of different currencies are never added.

    Where no provider said what it charged, what was set aside for the calls counts as spent.
    """
    said = [f"{money(one['amount'], one['currency'])} {one['kind']}" for one in result["cost"]]
    settled = result["budget"] or {"spent": "0"}
    if not said and Decimal(settled["spent"]):
        return f"{money(settled['spent'], settled['currency'])} by reservation, as no provider said what it charged"
    return ", ".join(said) or "nothing that is known"


def budget(result: Result) -> str | None:
    """The budget with what is left of it; None where there was none."""
    found = result["budget"]
    if found is None:
        return None
    used, held = money(found["spent"], found["currency"]), money(found["reserved"], found["currency"])
    return f"{used} of {money(found['amount'], found['currency'])} spent, {held} reserved"


def took(result: Result) -> float | None:
    """Seconds from the beginning of a run to its end; None where it has none."""
    if result["finished_at"] is None:
        return None
    return (moment_of(result["finished_at"]) - moment_of(result["started_at"])).total_seconds()


def seconds_of(manifest: JSON) -> float:
    """Seconds that a manifest's calls took, added up."""
    return float(sum(replay["seconds"] or 0 for replay in manifest["replays"]))


def made_of(manifests: Iterable[JSON]) -> str:
    """How many replays of some manifests were made, and of how many where some were not."""
    ends = [replay["outcome"] for manifest in manifests for replay in manifest["replays"]]
    made = ends.count("succeeded")
    return f"{made:,}" if made == len(ends) else f"{made:,} of {len(ends):,} made"


def cost_of(manifest: JSON) -> str:
    """What a manifest's replays cost, by currency; empty where nothing is known of it."""
    sums: dict[str, Decimal] = {}
    unknown = 0
    for replay in manifest["replays"]:
        cost = replay["cost"]
        if cost is None or cost["amount"] is None:
            unknown += 1
        else:
            sums[cost["currency"]] = sums.get(cost["currency"], Decimal()) + Decimal(cost["amount"])
    said = [money(f"{amount:f}", currency) for currency, amount in sums.items()]
    return ", ".join([*said, f"{unknown} not known"] if said and unknown else said)


def duration(seconds: float | None) -> str:
    """Seconds as people read them: ``0.4 s``, ``12 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds is None:
        return "unknown"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def short(name: str | None) -> str:
    """An id as people type it: its first 12 digits."""
    return "" if name is None else name.removeprefix("sha256:").removeprefix("run-")[:12]


def numbers(test: JSON) -> Sequence[tuple[str, str]]:
    """What a test says in numbers: p, alpha, the smallest p that it can be relied on to reach."""
    if not test:
        return ()
    last = test["looks"][-1] if test.get("looks") else test
    rows = [("p", test.get("p")), ("alpha", test.get("alpha")), (RELIABLE, last.get("attainable"))]
    return tuple((name, f"{value:.2g}") for name, value in rows if value is not None)
