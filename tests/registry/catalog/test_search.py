"""Search: every condition narrows, pages never lose or repeat a row."""

from dataclasses import replace

import pytest

from registry.annotate import tag
from registry.catalog.search import Query, bodies, matching, search
from registry.errors import InvalidValue
from registry.manifest import Context, Outcome, id_of
from registry.record import record


@pytest.fixture
def filled(registry, picture, made):
    path = picture(size=(120, 90))
    ids = []
    for n in range(7):
        draft = made(
            path,
            prompt=f"number {n}",
            model="m-even" if n % 2 == 0 else "m-odd",
            labels={"app": "a" if n < 3 else "b"},
            context=Context(workflow="hero" if n == 5 else None),
            outcome=Outcome(class_="succeeded", request_id=f"r{n}"),
        )
        ids.append(record(registry, draft, {str(path): path}).id)
    failed = made(prompt="no file", operation="image.generate", outcome=Outcome(class_="blocked", state="failed"))
    ids.append(record(registry, failed, {}).id)
    ids.append(record(registry, made(path, replay_of=ids[0]), {str(path): path}).id)
    return ids


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(), [0, 1, 2, 3, 4, 5, 6, 7]),
        (Query(replays=True), [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        (Query(model="m-odd"), [1, 3, 5]),
        (Query(labels={"app": "a"}), [0, 1, 2]),
        (Query(labels={"app": "b"}, model="m-even"), [4, 6]),
        (Query(workflow="hero"), [5]),
        (Query(status="blocked"), [7]),
        (Query(provider="nobody"), []),
        (Query(since="2999-01-01T00:00:00.000Z"), []),
        (Query(until="1999-01-01T00:00:00.000Z"), []),
        (Query(operation="image.generate"), [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_conditions_narrow(registry, filled, query, expected):
    assert matching(registry.catalog, query) == [filled[n] for n in expected]


def test_pages_join_to_the_whole_newest_first(registry, filled, picture, made):
    seen, query = [], Query(limit=3)
    while True:
        page = search(registry.catalog, query)
        seen += [row.id for row in page.rows]
        if page.next_cursor is None:
            break
        path = picture(size=(120, 90))
        record(registry, made(path), {str(path): path})  # arrivals between pages shift nothing
        query = replace(query, cursor=page.next_cursor)

    assert seen == list(reversed(filled[:8]))


def test_a_tag_is_searched_like_a_label_and_can_change(registry, filled):
    tag(registry, filled[4], {"golden": "true"})
    assert matching(registry.catalog, Query(labels={"golden": "true"})) == [filled[4]]

    tag(registry, filled[4], {"golden": None})
    assert matching(registry.catalog, Query(labels={"golden": "true"})) == []


def test_bodies_hash_to_their_ids(registry, filled):
    found = list(bodies(registry.catalog, Query(replays=True)))

    assert [manifest for manifest, _ in found] == filled
    assert all(id_of(body) == manifest for manifest, body in found)


@pytest.mark.parametrize("query", [Query(limit=0), Query(limit=1001), Query(cursor="!"), Query(cursor="e30")])
def test_bad_paging_is_refused(registry, query):
    with pytest.raises(InvalidValue):
        search(registry.catalog, query)


@pytest.mark.parametrize("strangers", [3, 2_000, 70_000])
def test_however_many_manifests_bound_an_answer_conditions_and_cursor_hold(registry, filled, strangers):
    among = [f"sha256:{n:064x}" for n in range(strangers)] + filled[:6]
    query = Query(among=among, labels={"app": "b"}, limit=2)

    first = search(registry.catalog, query)
    second = search(registry.catalog, replace(query, cursor=first.next_cursor))

    assert [row.id for row in (*first.rows, *second.rows)] == [filled[5], filled[4], filled[3]]
    assert second.next_cursor is None
    assert matching(registry.catalog, query) == filled[3:6]
