"""Text family two: a writer puts the same points into words again and again, choosing among ways to say them."""

OPENERS = [("Well,", "So,", "Okay,", "Right,"), ("Look,", "Listen,", "See,", "Now,")]
PARTS = [
    [("I think", "I guess", "in my view", "to me"), ("we should", "we ought to", "we had better", "let us"),
     ("start", "begin", "get going", "set off"), ("early", "soon", "before noon", "at dawn")],
    [("the plan", "the idea", "this approach"), ("looks", "seems", "sounds"), ("good", "fine", "solid", "workable"),
     ("to everyone", "to all of us", "to the team")],
    [("they said", "they told us", "we heard"), ("the delivery", "the parcel", "the shipment"),
     ("is late", "was delayed", "has not come"), ("again", "once more", "as usual")],
    [("could you", "can you", "would you"), ("send", "mail me", "forward"), ("the report", "the numbers", "the file"),
     ("today", "this evening", "by five")],
    [("nobody", "no one", "not a soul"), ("called", "rang", "answered"), ("about it", "on that", "yesterday")],
    [("the train to", "the bus to", "the road to"), ("Lisbon", "Oslo", "Vienna", "Malmo"), ("was closed", "is shut"),
     ("all day", "since Monday", "until late")],
    [("we're", "we are"), ("waiting for", "expecting"), ("answers", "a reply", "some news"), ("from them", "from Ana")],
]  # fmt: skip
CITIES = {"Lisbon": "Listen", "Oslo": "also", "Vienna": "the enna", "Malmo": "my more"}


def scene(rng):
    """A prompt: which points in which order, and how this writer leans among the ways to put each."""
    points = rng.integers(0, len(PARTS), int(rng.integers(9, 14)))
    lean = [[rng.dirichlet([0.5] * len(slot)) for slot in PARTS[point]] for point in points]
    asks = rng.random(len(points)) < 0.25
    return {"points": points, "lean": lean, "asks": asks, "opener": int(rng.integers(2))}


def sample(rng, scene, *, errors=1.0, marks=0.95, casing=0.97, fillers=0.02, variety=1.0, misheard=0.0):
    """One text; ``variety`` below 1 sharpens the writer's leanings, ``errors`` counts slips within words."""
    sentences = []
    for point, leans, asks in zip(scene["points"], scene["lean"], scene["asks"], strict=True):
        chosen = []
        for slot, lean in zip(PARTS[point], leans, strict=True):
            sharp = lean ** (1 / variety)
            chosen.append(slot[rng.choice(len(slot), p=sharp / sharp.sum())])
        words = " ".join(chosen).split()
        if rng.random() < 0.3 * variety:
            words.insert(0, OPENERS[scene["opener"]][rng.integers(4)])
        out = []
        for word in words:
            if rng.random() < fillers:
                out.append("uh" if rng.random() < 0.5 else "um")
            if word in CITIES and rng.random() < misheard:
                word = CITIES[word]
            elif len(word) > 3 and rng.random() < 0.03 * errors:
                at = int(rng.integers(len(word) - 1))
                word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            out.append(word)
        sentence = " ".join(out)
        if rng.random() < casing:
            sentence = sentence[0].upper() + sentence[1:]
        if rng.random() < marks:
            sentence += "?" if asks else "!" if rng.random() < 0.1 else "."
        sentences.append(sentence)
    return " ".join(sentences)
