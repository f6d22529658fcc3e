"""What the recorder does with calls that go wrong: none stays in memory, none is lost unseen."""

import pytest

FAL = "https://queue.fal.run/fal-ai/flux/dev"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b"<html>maintenance</html>", "text/html"), (b"", "application/json"), (b'{"detail":"ok"}', "application/json"),
     (b'{"status":"IN_QUEUE"}', "application/json"), (b"[]", "application/json"), (b"GIF89a", "image/gif")],
)  # fmt: skip
def test_an_accepted_job_that_cannot_be_asked_about_is_malformed(recording, answer, kind):
    recording.saw(FAL, b'{"prompt":"x"}', answer, kind)

    [made] = recording.recorded(5)

    assert (made.outcome.class_, made.outcome.http_status, made.outputs) == ("malformed", 200, [])
