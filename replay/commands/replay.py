"""``mintmark replay``: could it be made again?"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from registry.commands.printing import as_json
from replay.commands.ambiguous import ambiguous
from replay.commands.cancel import cancel
from replay.commands.consent import may_cost

if TYPE_CHECKING:
    from drift.verdict import Level, Verdict
    from registry.home import Registry
    from replay.calibrating import Calibration
    from replay.consenting import Pay
    from replay.preparing import Change, Ready
    from replay.rerun import Answer

_LEVELS = ("bytes", "decoded", "perceptual", "semantic", "statistical")


class WithCommands(click.Command):
    """A command of its own that also leads to others: ``replay ID``, and ``replay ambiguous``. No id is such a word."""

    commands: Mapping[str, click.Command] = MappingProxyType({"ambiguous": ambiguous, "cancel": cancel})

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - as click has it
    ) -> click.Context:
        """The context of the command that the first word names, else of this one."""
        if args and (other := self.commands.get(args[0])) is not None:
            return other.make_context(f"{info_name} {args[0]}", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)


@click.command(cls=WithCommands, short_help="Make a generation again and judge the result.")
@click.argument("manifest", metavar="ID")
@click.option("--times", type=click.IntRange(1, 1000), help="How many replays; 1 unless told.")
@click.option("--calibrate", type=click.IntRange(1, 1000), metavar="K", help="Learn from at most K replays; see below.")
@click.option("--model", help="Send another model or version: procedural-image@2.")
@click.option("--provider", help="Send it to another provider, with --model; mintmark.toml must allow it.")
@click.option("--seed", help="Send another seed.")
@click.option("--level", type=click.Choice(_LEVELS), help="What to ask for; what the calibration allows unless told.")
@click.option("--alpha", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.01, show_default=True,
              help="How often a decision by samples or noise may be a false alarm.")  # fmt: skip
@may_cost
@as_json
def replay(
    manifest: str,
    times: int | None,
    calibrate: int | None,
    model: str | None,
    provider: str | None,
    seed: str | None,
    level: "Level | None",
    alpha: float,
    budget: str | None,
    assume_cost: str | None,
    yes: bool,
    as_json: bool,
) -> int:
    """Send the stored request of generation ID again, record what comes, and compare it with the recorded output.

    With --calibrate, the replays are not judged: they show how far honest runs of the recorded version lie apart.
    Three learn whether it repeats itself, repeats itself but for noise, or draws a new sample every time. Noise is
    topped up to 13 replays (5 for --alpha 0.05); free samples need 19 for a decision on this one generation.
    Later replays are judged by the newest calibration.

    A replay that costs money needs --budget, --yes, or a yes at the terminal; where its price is unknown, say with
    --assume-cost what one call costs at most. `mintmark replay ambiguous` is about calls that may have been billed.

    Exit status: 0 reproduced or within noise; 1 drifted; 2 usage, or nobody agreed to pay; 3 the provider failed;
    4 undecided or not replayable, with the reason, or the budget is spent. With --calibrate: 0 done, 1 the version has
    changed since it was recorded, 2, 3, 4 not replayable.
    """
    from registry.commands.printing import open_for_change
    from replay.commands.consent import paying_for, terms_of
    from replay.elsewhere import check_may_send
    from replay.preparing import Change

    if provider is not None and model is None:
        raise click.UsageError("--provider needs --model: another provider has other models")
    if calibrate is not None and any(one is not None for one in (times, model, seed, level)):
        raise click.UsageError("--calibrate replays what is recorded: leave --times, --model, --seed and --level out")
    if math.isnan(alpha):
        raise click.BadParameter("a number between 0 and 1", param_hint="--alpha")
    registry = open_for_change()
    full = registry.catalog.resolve(manifest)
    pay = paying_for(registry, terms_of(budget, assume_cost, yes, silent=as_json))
    if calibrate is not None:
        return _calibrate(registry, full, calibrate, alpha, pay, as_json=as_json)
    if provider is not None:
        check_may_send(registry.settings, registry.catalog.manifest(full).provider.name, provider)
    change = Change(model, seed, provider)
    return _again(registry, full, times or 1, change, level, alpha, pay, as_json=as_json)


def _again(
    registry: "Registry",
    full: str,
    times: int,
    change: "Change",
    level: "Level | None",
    alpha: float,
    pay: "Callable[[Ready, int], Pay]",
    *,
    as_json: bool,
) -> int:
    from registry.commands.printing import emit
    from replay.rerun import replay

    def tell(number: int, _: object) -> None:
        _progress(number, times, quiet=as_json or times == 1)

    answer = replay(registry, full, times=times, change=change, level=level, alpha=alpha, tell=tell, pay=pay)
    if as_json:
        emit(_json(answer))
    else:
        _say(answer)
    return answer.exit_code


def _calibrate(
    registry: "Registry",
    full: str,
    most: int,
    alpha: float,
    pay: "Callable[[Ready, int], Pay]",
    *,
    as_json: bool,
) -> int:
    from registry.commands.printing import emit
    from replay.calibrating import Calibration, calibrate

    def tell(number: int, _: object) -> None:
        _progress(number, most, quiet=as_json)

    found = calibrate(registry, full, most, alpha=alpha, tell=tell, pay=pay)
    if isinstance(found, Calibration):
        if as_json:
            emit(_calibration_json(found))
        else:
            click.echo(f"{found.regime}: {found.sentence}")
        return 1 if found.apart else 0
    if as_json:
        emit({"manifest": full, "refused": found.to_json()})
    else:
        click.echo(_verdict(found))
    return 4


def _progress(number: int, of: int, *, quiet: bool) -> None:
    if not quiet:
        beyond = " to confirm" if number >= of else f" of {of}"
        click.echo(f"replay {number + 1}{beyond} recorded", err=True)


def _say(answer: "Answer") -> None:
    from registry.commands.printing import fewer, short

    if answer.refused is not None:
        click.echo(_verdict(answer.refused))
        return
    if answer.held not in (None, answer.manifest):
        click.echo(f"held against {short(str(answer.held))}, which was approved in its place", err=True)
    said = ""
    for one in answer.replays:
        outcome = one.recorded.manifest.outcome.class_
        failed = f"no verdict: the call ended as {outcome}; `mintmark show {short(one.recorded.id)}` says why"
        name = f"{short(one.recorded.id)}{fewer(one.recorded.manifest)}"
        for number, found in enumerate([_verdict(verdict) for verdict in one.verdicts] or [failed]):
            which = f"output {number}  " if len(one.verdicts) > 1 else ""  # as `show` and `get` number them
            # A test of samples says one thing of all of them.
            click.echo(f"{name}  {which}{'the same' if found == said and len(found) > 80 else found}")
            said = found
    if any(one.recorded.manifest.outcome.class_ == "ambiguous" for one in answer.replays):
        click.echo("it is not sent again by itself; see: mintmark replay ambiguous", err=True)
    if answer.spent is not None:
        click.echo(f"no further replay: {answer.spent}", err=True)
    reasons = {verdict.reason_code for one in answer.replays for verdict in one.verdicts}
    if "uncalibrated" in reasons:
        click.echo(f"hint: mintmark replay {short(answer.manifest)} --calibrate 13", err=True)


def _verdict(verdict: "Verdict") -> str:
    reason = f" ({verdict.reason_code})" if verdict.reason_code else ""
    return f"{verdict.kind}{reason}: {verdict.sentence}"


def _json(answer: "Answer") -> dict[str, object]:
    return {
        "manifest": answer.manifest,
        "baseline": answer.held or answer.manifest,
        "regime": answer.regime.value,
        "refused": None if answer.refused is None else answer.refused.to_json(),
        "budget_spent": None if answer.spent is None else str(answer.spent),
        "replays": [
            {
                "id": one.recorded.id,
                "outcome": one.recorded.manifest.outcome.class_,
                "drift": one.drift,
                "level": one.level,
                "calibration": one.calibration,
                "verdicts": [verdict.to_json() for verdict in one.verdicts],
                "tests": [None if verdict.test is None else dict(verdict.test) for verdict in one.verdicts],
                "scores": [[score.to_json() for score in scores] for scores in one.scores],
            }
            for one in answer.replays
        ],
    }


def _calibration_json(found: "Calibration") -> dict[str, object]:
    return {
        "manifest": found.manifest,
        "calibration": found.record,
        "regime": found.regime.value,
        "sentence": found.sentence,
        "runs": list(found.runs),
        "apart": found.apart,
    }
