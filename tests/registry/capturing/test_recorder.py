"""What the recorder does with calls that go wrong: none stays in memory, none is lost unseen."""

import base64
import gzip
import json
import shutil

import pytest

FAL = "https://queue.fal.run/fal-ai/flux/dev"
REPLICATE = "https://api.replicate.com/v1/models/black-forest-labs/flux-dev/predictions"
OPENAI = "https://api.openai.com/v1/images/generations"
ASKED = b'{"model":"gpt-image-2","prompt":"x"}'


@pytest.fixture
def blocked(recording):
    """A recorder that runs, whose spool takes nothing."""
    recording.saw(OPENAI, ASKED, b'{"error":{"message":"no"}}', status=400)
    assert recording.recorded(5)
    shutil.rmtree(recording.spool.folder)
    recording.spool.folder.write_text("in the way")
    return recording


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(b"<html>maintenance</html>", "text/html"), (b"", "application/json"), (b'{"detail":"ok"}', "application/json"),
     (b'{"status":"IN_QUEUE"}', "application/json"), (b"[]", "application/json"), (b"GIF89a", "image/gif")],
)  # fmt: skip
def test_an_accepted_job_that_cannot_be_asked_about_is_malformed(recording, answer, kind):
    recording.saw(FAL, b'{"prompt":"x"}', answer, kind)

    [made] = recording.recorded(5)

    assert (made.outcome.class_, made.outcome.http_status, made.outputs) == ("malformed", 200, [])


def test_what_the_disk_does_not_take_is_waited_for_and_kept(blocked):
    blocked.saw(OPENAI, ASKED, b'{"data":[]}')

    waited = blocked.recorder.settle(0.5)
    blocked.spool.folder.unlink()
    made = blocked.recorded(5)

    assert not waited and blocked.recorder.counts.failed_tries > 1
    assert [one.outcome.class_ for one in made] == ["malformed"]


def test_what_the_disk_takes_at_the_end_is_not_lost(blocked, capfd):
    blocked.recorder._retry_s = 60
    blocked.saw(OPENAI, ASKED, b'{"data":[]}')
    assert not blocked.recorder.settle(0.5)

    blocked.spool.folder.unlink()
    blocked.recorder.close(0.1)

    assert (blocked.recorder.counts.lost, len(list(blocked.spool.waiting()))) == (0, 1)
    assert "could not be kept" not in capfd.readouterr().err


def test_what_is_lost_at_the_end_is_counted_and_said_once(blocked, capfd):
    for _ in range(2):
        blocked.saw(OPENAI, ASKED, b'{"data":[]}')
    assert not blocked.recorder.settle(0.5)

    blocked.recorder.close(0.1)
    blocked.recorder.close(0.1)

    assert blocked.recorder.counts.lost == 2
    assert capfd.readouterr().err.count("mintmark: 2 captured calls could not be kept") == 1


def test_a_decorated_call_that_no_disk_takes_is_counted(recording):
    recording.recorder.take(recording.spool.folder / ".gone", {})

    assert recording.recorder.settle(5)
    assert (recording.recorder.counts.spooled, recording.recorder.counts.lost) == (0, 1)


@pytest.mark.parametrize("url", [OPENAI, FAL])
@pytest.mark.parametrize(
    ("coding", "answer", "told"),
    [("gzip", gzip.compress(b"\0" * (129 << 20), 1), "longer than 134,217,728 bytes"),
     ("compress", b"\x1f\x9d", "'compress' cannot be read here")],
    ids=["bomb", "unknown"],
)  # fmt: skip
def test_an_answer_that_cannot_be_read_is_ambiguous_and_says_why(recording, url, coding, answer, told):
    recording.saw(url, ASKED, answer, coding=coding)

    [made] = recording.recorded(10)

    assert (made.outcome.class_, made.outcome.http_status, made.recorder.confidence) == ("ambiguous", None, "full")
    assert told in recording.opened("/outcome/error")[0]
    assert recording.opened("/prompt/submitted") == ["x"] or url == FAL


@pytest.mark.parametrize("address", ["http://[::", "http://x:y/"])
def test_an_address_that_is_none_is_an_outcome(recording, address):
    output = {"id": "j1", "status": "succeeded", "output": [address], "urls": {"get": address}}
    recording.saw(REPLICATE, b'{"input":{"prompt":"x"}}', json.dumps(output).encode(), status=201)
    job = {"request_id": "j1", "status": "IN_QUEUE", "status_url": "http://[::", "response_url": "http://[::"}
    recording.saw(FAL, ASKED, json.dumps(job).encode())

    made = recording.recorded(5)

    assert sorted(one.outcome.class_ for one in made) == ["expired", "malformed"]


def test_a_refusal_that_cannot_be_read_is_told_by_its_status(recording):
    recording.saw(OPENAI, ASKED, b"\x1f\x9d", coding="compress", status=401)

    [made] = recording.recorded(5)

    assert (made.outcome.class_, made.outcome.http_status) == ("auth", 401)


@pytest.mark.parametrize(("coding", "library"), [("br", "brotli"), ("zstd", "backports.zstd"), ("zstd", "zstandard")])
def test_an_answer_is_read_in_every_coding_that_its_client_can_read(recording, picture, coding, library):
    pack = pytest.importorskip(library).compress
    drawn = base64.b64encode(picture("out.png").read_bytes()).decode()

    recording.saw(OPENAI, ASKED, pack(json.dumps({"data": [{"b64_json": drawn}]}).encode()), coding=coding)

    [made] = recording.recorded(5)
    assert (made.outcome.class_, len(made.outputs)) == ("succeeded", 1)
