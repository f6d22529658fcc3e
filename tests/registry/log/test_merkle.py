import pymerkle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.log import merkle, tiles
from registry.log.errors import ProofRefused

sizes = st.integers(min_value=1, max_value=700)  # beyond two tiles
quick = settings(deadline=None, max_examples=80)


def leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"entry %d" % n) for n in range(size)]


def reader(row: list[bytes]):
    return lambda level, index: merkle.fold(b"".join(row[index << level : (index + 1) << level]))


def recursive_root(row: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not row:
        return merkle.EMPTY_ROOT
    if len(row) == 1:
        return row[0]
    k = 1
    while k * 2 < len(row):
        k *= 2
    return merkle.node_hash(recursive_root(row[:k]), recursive_root(row[k:]))


@quick
@given(size=st.integers(0, 700))
def test_root_is_the_recursive_definition(size):
    row = leaves(size)

    assert merkle.root(size, reader(row)) == recursive_root(row)


@quick
@given(size=sizes, data=st.data())
def test_every_leaf_is_proven_in_its_place_and_nowhere_else(size, data):
    row = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size - 1))
    root = merkle.root(size, reader(row))

    proof = merkle.inclusion_proof(index, size, reader(row))

    merkle.verify_inclusion(index, size, row[index], proof, root)
    if other != index:
        with pytest.raises(ProofRefused):
            merkle.verify_inclusion(other, size, row[index], proof, root)
        with pytest.raises(ProofRefused):
            merkle.verify_inclusion(index, size, row[other], proof, root)


@quick
@given(size=sizes, data=st.data())
def test_a_prefix_is_proven_and_a_rewritten_past_is_not(size, data):
    row = leaves(size)
    first = data.draw(st.integers(1, size))
    changed = data.draw(st.integers(0, first - 1))
    roots = merkle.root(first, reader(row)), merkle.root(size, reader(row))
    forged = [*row[:changed], merkle.leaf_hash(b"forged"), *row[changed + 1 :]]

    proof = merkle.consistency_proof(first, size, reader(row))

    merkle.verify_consistency(first, size, *roots, proof)
    with pytest.raises(ProofRefused):
        merkle.verify_consistency(first, size, merkle.root(first, reader(forged)), roots[1], proof)
    with pytest.raises(ProofRefused):
        merkle.verify_consistency(first, size, roots[0], merkle.root(size, reader(forged)), proof)


@quick
@given(size=sizes, data=st.data())
def test_a_proof_with_any_bit_changed_is_refused(size, data):
    row = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, reader(row))
    if not proof:
        return
    at = data.draw(st.integers(0, len(proof) * 256 - 1))
    bent = [bytearray(value) for value in proof]
    bent[at // 256][at % 256 // 8] ^= 1 << at % 8

    with pytest.raises(ProofRefused):
        merkle.verify_inclusion(index, size, row[index], [bytes(value) for value in bent], recursive_root(row))


def test_agrees_with_pymerkle():
    tree = pymerkle.InmemoryTree(algorithm="sha256")
    row = []
    for n in range(1, 68):
        tree.append_entry(b"entry %d" % (n - 1))
        row.append(merkle.leaf_hash(b"entry %d" % (n - 1)))
        assert merkle.root(n, reader(row)) == tree.get_root()
        for index in range(0, n, 5):
            theirs = tree.prove_inclusion(index + 1, n)
            ours = merkle.inclusion_proof(index, n, reader(row))
            assert [row[index], *ours] == [bytes.fromhex(each) for each in theirs.serialize()["path"]]
        for first in range(1, n + 1, 4):
            theirs = tree.prove_consistency(first, n)
            pymerkle.verify_consistency(tree.get_root(first), tree.get_root(), theirs)
            ours = merkle.consistency_proof(first, n, reader(row))
            merkle.verify_consistency(first, n, tree.get_root(first), tree.get_root(), ours)


def test_a_node_does_not_pass_as_a_leaf():
    left, right = leaves(2)
    root = merkle.node_hash(left, right)

    # A body that is the two children would hash to the root, were leaves and nodes not told apart.
    assert merkle.leaf_hash(left + right) != root
    with pytest.raises(ProofRefused):
        merkle.verify_inclusion(0, 1, merkle.leaf_hash(left + right), [], root)


@pytest.mark.parametrize("facts", [(0, 0), (3, 3), (-1, 3), (9, 4)])
def test_entries_that_are_not_there_have_no_proof(facts):
    index, size = facts

    with pytest.raises(ProofRefused):
        merkle.inclusion_proof(index, size, reader(leaves(10)))
    with pytest.raises(ProofRefused):
        merkle.verify_inclusion(index, size, merkle.leaf_hash(b""), [], merkle.EMPTY_ROOT)


@pytest.mark.parametrize("facts", [(0, 4), (5, 4), (-1, 4)])
def test_trees_that_are_no_prefix_have_no_proof(facts):
    first, second = facts

    with pytest.raises(ProofRefused):
        merkle.consistency_proof(first, second, reader(leaves(8)))
    with pytest.raises(ProofRefused):
        merkle.verify_consistency(first, second, merkle.EMPTY_ROOT, merkle.EMPTY_ROOT, [])


def test_large_trees_are_proven_from_few_tiles():
    """70,000 leaves: three levels of tiles, partial at every one."""
    size = 70_000
    row = leaves(size)
    kept = {}
    levels = [row]
    while len(levels[-1]) >= tiles.FULL:
        below = levels[-1]
        levels.append([merkle.fold(b"".join(below[n : n + 256])) for n in range(0, len(below) // 256 * 256, 256)])
    for tile in tiles.tiles_of(size):
        start = tile.number * 256
        kept[tile.level, tile.number] = b"".join(levels[tile.level][start : start + tile.width])
    touched = []

    def source(level: int, number: int, width: int) -> bytes:
        touched.append((level, number))
        assert len(kept[level, number]) == width * 32
        return kept[level, number]

    root = recursive_root(row)
    assert merkle.root(size, tiles.hash_reader(size, source)) == root
    for index in (0, 255, 256, 65_535, 65_536, 69_999):
        touched.clear()
        proof = merkle.inclusion_proof(index, size, tiles.hash_reader(size, source))
        merkle.verify_inclusion(index, size, row[index], proof, root)
        assert len(touched) <= 5
    for first in (1, 256, 65_537, 69_999):
        proof = merkle.consistency_proof(first, size, tiles.hash_reader(size, source))
        merkle.verify_consistency(first, size, recursive_root(row[:first]), root, proof)
