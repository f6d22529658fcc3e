"""``mintmark replay``: could it be made again?"""

import click

from registry.commands.printing import as_json


@click.command(short_help="Make a generation again and judge the result.")
@click.argument("manifest", metavar="ID")
@click.option("--times", type=click.IntRange(1, 1000), default=1, show_default=True, help="How many replays.")
@click.option("--model", help="Send another model or version: procedural-image@2.")
@click.option("--seed", help="Send another seed.")
@as_json
def replay(manifest: str, times: int, model: str | None, seed: str | None, as_json: bool) -> int:
    """Send the stored request of generation ID again, record what comes, and compare it with the recorded output.

    Exit status: 0 reproduced; 1 drifted; 3 the provider failed; 4 undecided or not replayable, with the reason.
    """
    from registry.commands.printing import emit, open_for_change, short
    from replay.rerun import Change, replay

    registry = open_for_change()
    full = registry.catalog.resolve(manifest)

    def tell(number: int, recorded: object) -> None:
        if times > 1 and not as_json:
            click.echo(f"replay {number + 1} of {times} recorded", err=True)

    answer = replay(registry, full, times=times, change=Change(model, seed), tell=tell)
    if as_json:
        emit(_json(answer))
        return answer.exit_code
    if answer.refused is not None:
        click.echo(f"{answer.refused.kind} ({answer.refused.reason_code}): {answer.refused.sentence}")
        return answer.exit_code
    for one in answer.replays:
        if not one.verdicts:
            click.echo(
                f"{short(one.recorded.id)}  no verdict: the call ended as {one.recorded.manifest.outcome.class_}"
            )
        for verdict in one.verdicts:
            reason = f" ({verdict.reason_code})" if verdict.reason_code else ""
            click.echo(f"{short(one.recorded.id)}  {verdict.kind}{reason}: {verdict.sentence}")
    return answer.exit_code


def _json(answer: object) -> dict[str, object]:
    from replay.rerun import Answer

    assert isinstance(answer, Answer)
    refused = answer.refused
    return {
        "manifest": answer.manifest,
        "regime": answer.regime.value,
        "refused": None
        if refused is None
        else {"kind": refused.kind, "reason": refused.reason_code, "sentence": refused.sentence},
        "replays": [
            {
                "id": one.recorded.id,
                "outcome": one.recorded.manifest.outcome.class_,
                "drift": one.drift,
                "verdicts": [{"kind": v.kind, "reason": v.reason_code, "sentence": v.sentence} for v in one.verdicts],
                "scores": [[score.to_json() for score in scores] for scores in one.scores],
            }
            for one in answer.replays
        ],
    }
