"""Write tests/drift/metrics/cpwer_vectors.json with the reference implementation, the meeteval package.

It needs a compiler, so it is no dependency: install meeteval into a private environment and run this file there.
"""

import json
import pathlib
import random

from meeteval.io import SegLST
from meeteval.wer import cp_word_error_rate

OUT = pathlib.Path(__file__).resolve().parents[1] / "metrics" / "cpwer_vectors.json"
VOCABULARY = ["ja", "nein", "oui", "non", "da", "net", "igen", "nem"]
SESSIONS = 120


def said(rng, words):
    """What a recogniser makes of some words: some lost, some other, some new."""
    heard = []
    for word in words:
        chance = rng.random()
        if chance > 0.1:
            heard.append(word if chance > 0.25 else rng.choice(VOCABULARY))
        if rng.random() < 0.08:
            heard.append(rng.choice(VOCABULARY))
    return heard


def session(rng):
    """Two transcripts as [speaker, start in seconds or None, text]; speakers differ in number, some say nothing."""
    timed = rng.random() < 0.5
    speakers, others = rng.randint(1, 6), rng.randint(1, 6)
    reference, candidate = [], []
    for turn in range(rng.randint(1, 14)):
        who = rng.randrange(speakers)
        words = [rng.choice(VOCABULARY) for _ in range(rng.choice([0, 1, 3, 8, 20]))]
        start = rng.randint(0, 600) / 10 if timed else None
        heard_by = who % others if rng.random() < 0.85 else rng.randrange(others)
        reference.append([f"r{who}", start, " ".join(words)])
        if turn and rng.random() < 0.1:
            continue
        candidate.append([f"c{heard_by}", start, " ".join(said(rng, words))])
    if not candidate or rng.random() < 0.1:
        candidate.append(["silent", 0.0 if timed else None, ""])
    return reference, candidate


def segments(listed):
    """A session for meeteval."""
    timed = all(start is not None for _, start, _ in listed)
    return SegLST(
        [
            {"session_id": "s", "speaker": who, "words": words}
            | ({"start_time": start, "end_time": start + 1} if timed else {})
            for who, start, words in listed
        ]
    )


def main():
    """Make the sessions and let meeteval judge them."""
    rng = random.Random(20)
    rows = []
    while len(rows) < SESSIONS:
        reference, candidate = session(rng)
        found = cp_word_error_rate(segments(reference), segments(candidate))
        rows.append({"reference": reference, "candidate": candidate, "errors": found.errors, "length": found.length})
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    OUT.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
