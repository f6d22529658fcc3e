"""Has what is asked for looked at before it is sent to anybody who is paid: a moderation model's verdict."""

import shutil
import tempfile
from pathlib import Path

from drift.errors import MediaRefused
from drift.media.probe import probe
from registry.errors import CouldNotRun, InvalidValue
from registry.home import Registry
from registry.settings import FILE
from replay.generating import Ask
from replay.providers.http.moderating import Verdict, moderate


class Unanswered(CouldNotRun):
    """The moderation model gave no verdict; without one, nothing is sent."""

    def __init__(self, verdict: Verdict) -> None:
        """Say who did not answer, and why."""
        super().__init__(
            f"{verdict.model} of {verdict.provider} was asked to look at this first and gave no verdict "
            f"({verdict.why}); nothing was sent or paid: try again, or leave out --moderate (or [moderate] in {FILE})"
        )


def verdict_of(registry: Registry, ask: Ask) -> Verdict:
    """What a moderation model says of prompt and pictures; asking is free. Other inputs it cannot look at.

    Raises:
        InvalidValue: there is neither a prompt nor a picture.
        Unanswered, SecretMissing: there is no verdict, so nothing may be sent.
    """
    pictures = [found for _, path in ask.inputs for found in _picture(registry, path)]
    if not ask.prompt and not pictures:
        raise InvalidValue("--moderate", None, "of use: there is neither a prompt nor a picture to look at")
    workdir = Path(tempfile.mkdtemp(prefix="mintmark-look-"))
    try:
        verdict = moderate(ask.prompt, pictures, workdir)
    finally:
        shutil.rmtree(workdir, ignore_errors=True)
    if verdict.flagged is None:
        raise Unanswered(verdict)
    return verdict


def _picture(registry: Registry, path: Path) -> list[tuple[Path, str]]:
    try:
        media = probe(path, limits=registry.settings.limits, name=path.name)
    except MediaRefused:
        return []
    return [(path, media.media_type)] if media.kind == "image" else []
