"""Text family one: a recogniser hears one lecture several times; errors, marks and hesitations fall at random."""

NOUNS = [
    "river",
    "market",
    "engine",
    "planet",
    "teacher",
    "window",
    "letter",
    "garden",
    "doctor",
    "village",
    "bridge",
    "island",
    "student",
    "winter",
    "machine",
    "picture",
    "animal",
    "kitchen",
    "forest",
    "harbour",
    "painter",
    "captain",
    "soldier",
    "library",
    "mountain",
    "weather",
]
VERBS = [
    "carried",
    "followed",
    "opened",
    "painted",
    "crossed",
    "counted",
    "watched",
    "repaired",
    "measured",
    "finding",
    "building",
    "leaving",
]
ADJECTIVES = [
    "old",
    "quiet",
    "narrow",
    "bright",
    "distant",
    "heavy",
    "simple",
    "broken",
    "golden",
    "early",
    "common",
    "wooden",
    "careful",
]
LINKS = ["and", "but", "because", "while", "so", "when", "although", "until"]
NAMES = ["Marlow", "Tessa", "Bergen", "Quinn", "Okafor", "Lindqvist", "Soares", "Ito"]
NUMBERS = ["7", "12", "19", "40", "85", "1912", "1968"]
CONFUSED = dict(zip(NAMES, ["marlowe", "tesla", "burger", "queen", "okay", "link", "swarez", "eat"], strict=True))


def scene(rng):
    """A prompt: what is said in the recording, with where marks belong."""
    said = []
    for _ in range(int(rng.integers(7, 12))):
        said += _clause(rng)
        if rng.random() < 0.5:
            said[-1] += ","
            said += [str(rng.choice(LINKS)), *_clause(rng)]
        said[-1] += "?" if rng.random() < 0.15 else "."
    hard = rng.beta(0.7, 6, len(said))  # how likely each word is to be misheard
    heard = ["".join(rng.permutation(list(word.strip(",.?")))) for word in said]
    return {"said": said, "hard": hard * (0.06 / hard.mean()), "heard": heard}


def _clause(rng):
    words = ["the", str(rng.choice(ADJECTIVES)), str(rng.choice(NOUNS)), str(rng.choice(VERBS))]
    tail = rng.random()
    if tail < 0.25:
        words += [str(rng.choice(NAMES))]
    elif tail < 0.5:
        words += [str(rng.choice(NUMBERS)), str(rng.choice(NOUNS)) + "s"]
    else:
        words += ["the", str(rng.choice(NOUNS))]
    return words


def sample(rng, scene, *, errors=1.0, marks=0.92, casing=0.95, fillers=0.03, variety=1.0, misheard=0.0):
    """One transcript; ``variety`` scales what falls at random, ``misheard`` is how often a name comes out as another.

    ``marks`` and ``casing`` are the shares of marks and of capitals that are written.
    """
    words = []
    capital = True
    for number, word in enumerate(scene["said"]):
        bare = word.strip(",.?")
        mark = word[len(bare) :]
        if rng.random() < fillers * variety:
            words.append(str(rng.choice(["um", "uh"])))
        draw = rng.random()
        hard = scene["hard"][number] * errors * variety
        if draw < 0.2 * hard:
            bare = ""
        elif draw < hard:
            bare = scene["heard"][number]
        elif bare in CONFUSED and rng.random() < misheard:
            bare = CONFUSED[bare]
        if bare and capital and rng.random() < casing:
            bare = bare[:1].upper() + bare[1:]
        if bare:
            words.append(bare + (mark if rng.random() < marks else ""))
            capital = mark in {".", "?"}
    return " ".join(words)
