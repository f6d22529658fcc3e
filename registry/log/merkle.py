"""RFC 6962 Merkle tree hashing: roots and proofs, built and verified.

Nothing here knows where hashes are kept. Builders take a reader
``hashes(level, index)`` that answers with the root of the perfect subtree
over the 2**level leaves from ``index * 2**level`` on, so a proof of a large
tree touches a few tiles only.

Source: RFC 6962 section 2.1 (hashes, what a proof is), RFC 9162 sections
2.1.3.2 and 2.1.4.2 (verification).
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

from registry.log.errors import ProofRefused

Hashes: TypeAlias = Callable[[int, int], bytes]
"""``hashes(level, index)``: 32 bytes, the root over leaves [index << level, (index + 1) << level)."""

WIDTH = 32  # bytes of one SHA-256 digest
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256


def leaf_hash(body: bytes) -> bytes:
    """SHA-256 of a zero byte and the entry; the prefix keeps a leaf from passing as a node."""
    return _sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of a one byte and both children."""
    return _sha256(b"\x01" + left + right).digest()


def fold(hashes: bytes) -> bytes:
    """The root above 2**n neighbouring subtrees of equal height, given as 32 * 2**n bytes."""
    while len(hashes) > WIDTH:
        # Pairs lie side by side, so one slice is both children; half the time of joining them anew.
        pairs = range(0, len(hashes), 2 * WIDTH)
        hashes = b"".join([_sha256(b"\x01" + hashes[at : at + 2 * WIDTH]).digest() for at in pairs])
    return hashes


def root(size: int, hashes: Hashes) -> bytes:
    """The Merkle Tree Hash of the first ``size`` leaves (RFC 6962 section 2.1)."""
    return _range_root(0, size, hashes) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """The siblings from leaf ``index`` up to the root of ``size`` leaves (RFC 6962 section 2.1.1).

    Raises:
        ProofRefused: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ProofRefused(f"a tree of {size} entries has no entry {index}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_root(middle, end, hashes))
            end = middle
        else:
            proof.append(_range_root(start, middle, hashes))
            start = middle
    return proof[::-1]


def consistency_proof(first: int, second: int, hashes: Hashes) -> list[bytes]:
    """What shows that the tree of ``first`` leaves is a prefix of the one of ``second`` (RFC 6962 section 2.1.2).

    Raises:
        ProofRefused: unless 1 <= first <= second.
    """
    if not 1 <= first <= second:
        raise ProofRefused(f"a tree of {first} entries cannot be proven to be a prefix of one of {second}")
    proof: list[bytes] = []
    start, end, known = 0, second, True
    while end > first:
        middle = start + _split(end - start)
        if first <= middle:
            proof.append(_range_root(middle, end, hashes))
            end = middle
        else:
            proof.append(_range_root(start, middle, hashes))
            start, known = middle, False
    if not known:  # the verifier holds the root of [0, first) already, never that of a later part
        proof.append(_range_root(start, end, hashes))
    return proof[::-1]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with hash ``leaf`` is entry ``index`` of the tree with this root (RFC 9162 section 2.1.3.2).

    Raises:
        ProofRefused: it is not, or the proof is malformed.
    """
    if not 0 <= index < size:
        raise ProofRefused(f"a tree of {size} entries has no entry {index}")
    _check_widths([leaf, *proof, root])
    _, computed = _climb(index, size - 1, leaf, proof)
    if computed != root:
        raise ProofRefused(f"entry {index} does not lead to the root of {size} entries")


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree of ``first`` leaves is a prefix of the tree of ``second`` (RFC 9162 section 2.1.4.2).

    An empty first tree is refused: it is a prefix of every tree, so a proof
    about it says nothing (a witness that has seen nothing yet asks for none).

    Raises:
        ProofRefused: it is not, or the proof is malformed.
    """
    if not 1 <= first <= second:
        raise ProofRefused(f"a tree of {first} entries cannot be proven to be a prefix of one of {second}")
    if first == second:
        if proof or first_root != second_root:
            raise ProofRefused(f"two different roots at size {first}, or hashes where none belong")
        return
    _check_widths([first_root, second_root, *proof])
    whole = first & (first - 1) == 0  # then the first root itself is the starting point
    path = [first_root, *proof] if whole else list(proof)
    if not path:
        raise ProofRefused("it has fewer hashes than the tree has levels")
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old, new = _climb(at, last, path[0], path[1:])
    if old != first_root or new != second_root:
        raise ProofRefused(f"the tree of {first} entries is no prefix of the one of {second}")


def _split(count: int) -> int:
    """The largest power of two below ``count`` (RFC 6962's k)."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(start: int, end: int, hashes: Hashes) -> bytes:
    """The root over leaves [start, end); ``start`` is a multiple of the largest power of two within the range."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(hashes(level, start >> level))
        start += 1 << level
    return _bag(peaks)


def _bag(peaks: Sequence[bytes]) -> bytes:
    """The root above perfect subtrees of falling height."""
    computed = peaks[-1]
    for peak in reversed(peaks[:-1]):
        computed = node_hash(peak, computed)
    return computed


def _climb(at: int, last: int, start: bytes, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    """Hash upward from node ``at`` of a row whose rightmost node is ``last``.

    Returns:
        The root of what lies up to ``at`` and the root of the whole; RFC 9162
        calls them fr and sr.
    """
    old = new = start
    for sibling in proof:
        if last == 0:
            raise ProofRefused("it has more hashes than the tree has levels")
        if at & 1 or at == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofRefused("it has fewer hashes than the tree has levels")
    return old, new


def _check_widths(hashes: Sequence[bytes]) -> None:
    for value in hashes:
        if len(value) != WIDTH:
            raise ProofRefused(f"a hash of {len(value)} bytes stands where SHA-256 has {WIDTH}")
