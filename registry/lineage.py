"""The graph around a generation: what it was made from and what was made from it, all the way."""

from dataclasses import dataclass

from registry.canonical import JSON
from registry.catalog.store import Catalog

MOST = 1000  # generations of one answer


@dataclass(frozen=True, slots=True)
class Edge:
    """``child`` was made from ``parent``; the relation is the manifest's, or ``replay``."""

    child: str
    parent: str
    relation: str


@dataclass(frozen=True, slots=True)
class Lineage:
    """Ancestors and descendants of ``id``; ``known`` are recorded here, ``complete`` is False where it was cut."""

    id: str
    edges: list[Edge]
    known: set[str]
    complete: bool

    def to_json(self) -> dict[str, JSON]:
        """One list of generations, one of edges."""
        ids = {self.id} | {edge.child for edge in self.edges} | {edge.parent for edge in self.edges}
        return {
            "id": self.id,
            "generations": [{"id": one, "known": one in self.known} for one in sorted(ids)],
            "edges": [
                {"child": edge.child, "parent": edge.parent, "relation": edge.relation}
                for edge in sorted(self.edges, key=lambda edge: (edge.child, edge.parent, edge.relation))
            ],
            "complete": self.complete,
        }


def lineage(catalog: Catalog, manifest: str, *, most: int = MOST) -> Lineage:
    """Follow edges upward to ancestors and downward to descendants; siblings stay out.

    Args:
        catalog: where to look.
        manifest: a full id.
        most: generations after which the search is cut.
    """
    edges: set[Edge] = set()
    seen = {manifest}
    complete = True
    for upward in (True, False):
        todo = [manifest]
        while todo:
            here = todo.pop()
            for edge in _edges(catalog, here):
                other, near = (edge.parent, edge.child) if upward else (edge.child, edge.parent)
                if near != here:
                    continue
                if other not in seen and len(seen) >= most:
                    complete = False
                    continue
                edges.add(edge)
                if other not in seen:
                    seen.add(other)
                    todo.append(other)
    return Lineage(manifest, list(edges), catalog.known(sorted(seen)), complete)


def _edges(catalog: Catalog, manifest: str) -> list[Edge]:
    found = [Edge(child, parent, relation) for child, parent, relation in catalog.relatives(manifest)]
    origin = catalog.replay_origins([manifest]).get(manifest)
    if origin is not None:
        found.append(Edge(manifest, origin, "replay"))
    return found + [Edge(replay, manifest, "replay") for replay in catalog.replays(manifest)]
