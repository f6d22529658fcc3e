"""``mintmark pilot``: candidate models under a real mix, before one is chosen."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from registry.commands.printing import as_json

if TYPE_CHECKING:
    from replay.piloting import Pilot, Step
    from replay.suites.plan import Target

_SECONDS = {"s": 1, "m": 60, "h": 3600}


@click.command(short_help="Run a suite's mix against candidate models.")
@click.argument("suite", type=click.Path(path_type=Path))
@click.option(
    "--target", "targets", multiple=True, required=True, metavar="PROVIDER:MODEL", help="A candidate; again for each."
)
@click.option("--concurrency", default="1", show_default=True, metavar="N,N…", help="Calls at a time, step by step.")
@click.option(
    "--duration", default="10m", show_default=True, metavar="TIME", help="Of all steps together: 90s, 30m, 2h."
)
@click.option("--calls", type=click.IntRange(1), metavar="N", help="At most so many calls of each target in each step.")
@click.option("--budget", metavar="AMOUNT", help='What all calls may cost together, shared equally: 2.00, "2.00 USD".')
@click.option("--assume-cost", metavar="AMOUNT", help="What one call costs at most, where no price is known.")
@as_json
def pilot(
    suite: Path,
    targets: tuple[str, ...],
    concurrency: str,
    duration: str,
    calls: int | None,
    budget: str | None,
    assume_cost: str | None,
    as_json: bool,
) -> int:
    """Ask every target for the generations of SUITE, over and over, all of them in the same minutes.

    Each call is recorded, with the workflow `pilot:SUITE`: review some, and `mintmark stats` tells cost, latency and
    the scorecard of the candidates. Prompts go to a provider that has not seen them only where the suite's
    `may_send_to` names it.

    Exit status: 0 done; 2 usage, no budget, or a provider that may not see the prompts; 3 a target made nothing at all;
    4 the budget ended it; 5 nothing to ask for.
    """
    from registry.commands.printing import emit, open_for_change
    from replay.commands.consent import terms_of
    from replay.piloting import pilot as run
    from replay.suites.file import read_suite
    from replay.suites.selecting import locked

    wanted = [_target(text) for text in targets]
    levels, seconds = _levels(concurrency), _span(duration)
    terms = terms_of(budget, assume_cost, False, silent=True)
    registry, found = open_for_change(), read_suite(suite)
    manifests = locked(registry, found)[0].manifests
    done = run(registry, found, manifests, wanted, concurrency=levels, seconds=seconds, terms=terms, most=calls,
               tell=lambda step: _tell(step, quiet=as_json))  # fmt: skip
    if as_json:
        emit(done.to_json())
    else:
        _say(done)
    return done.exit_code


def _target(text: str) -> "Target":
    from registry.errors import InvalidValue
    from replay.suites.plan import Target

    provider, _, model = text.partition(":")
    if not provider or not model:
        raise InvalidValue("--target", text, "PROVIDER:MODEL, such as openai:gpt-image-2-2026-04-21")
    return Target(provider=provider, model=model)


def _levels(text: str) -> list[int]:
    from registry.errors import InvalidValue

    parts = text.split(",")
    if not all(re.fullmatch(r"[1-9][0-9]?", part) and int(part) <= 64 for part in parts):
        raise InvalidValue("--concurrency", text, "numbers from 1 to 64, such as 1,4,16")
    return [int(part) for part in parts]


def _span(text: str) -> float:
    from registry.errors import InvalidValue

    found = re.fullmatch(r"([1-9][0-9]{0,5})([smh])", text)
    if not found:
        raise InvalidValue("--duration", text, "a time such as 90s, 30m or 2h")
    return float(int(found[1]) * _SECONDS[found[2]])


def _tell(step: "Step", *, quiet: bool) -> None:
    if not quiet:
        said = f"{step.target.provider}:{step.target.model}, {step.concurrency} at a time: {step.calls} calls"
        click.echo(said if step.why is None else f"{said}; stopped: {step.why}", err=True)


def _say(done: "Pilot") -> None:
    from registry.commands.printing import columns, short

    head = ("target", "at a time", "calls", "succeeded", "per minute", "p50", "p95", "p99", "cost", "ended otherwise")
    columns(head, [_row(step) for step in done.steps])
    for manifest, why in done.left_out:
        click.echo(f"{short(manifest)} left out: {why}", err=True)
    click.echo(f"next: mintmark stats scorecard --workflow {done.workflow}", err=True)


def _row(step: "Step") -> Sequence[object]:
    good = step.outcomes["succeeded"]
    times = [step.times.percentile(percent) for percent in (50, 95, 99)]
    rate = f"{60 * step.calls / step.seconds:.1f}" if step.seconds else "-"
    cost = ", ".join(f"{amount:f} {currency}" for currency, amount in sorted(step.costs.items()))
    others = ", ".join(f"{count} {name}" for name, count in sorted(step.outcomes.items()) if name != "succeeded")
    return (f"{step.target.provider}:{step.target.model}", step.concurrency, step.calls, good, rate,
            *("-" if one is None else f"{one} ms" for one in times), cost or "-", others or "-")  # fmt: skip
