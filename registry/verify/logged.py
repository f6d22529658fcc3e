"""Checks places in the log: proofs, the checkpoint and who signed it, completeness of a range."""

from collections.abc import Sequence

from registry.bundle_format import CHECKPOINT, consistency_path
from registry.encoding import decode64
from registry.errors import RegistryError
from registry.keys import LOG, Snapshot
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.errors import LogError, UnknownSigner
from registry.log.merkle import fold, leaf_hash, root, verify_consistency
from registry.signing import pae_digest
from registry.verify.container import read
from registry.verify.contents import Contents
from registry.verify.documents import Shown
from registry.verify.report import Findings


def read_checkpoint(contents: Contents, findings: Findings) -> Checkpoint | None:
    """The bundle's checkpoint, if it is one and the one that bundle.json names."""
    try:
        checkpoint = Checkpoint.parse(read(contents.members, CHECKPOINT))
    except RegistryError as problem:
        findings.fail("checkpoint", str(problem))
        return None
    named = contents.bundle["checkpoint"]
    if (checkpoint.origin, checkpoint.size, checkpoint.root.hex()) != (named["origin"], named["size"], named["root"]):
        findings.fail("checkpoint", "it is not the one that bundle.json names")
    return checkpoint


def check_inclusion(records: Sequence[Shown], checkpoint: Checkpoint, findings: Findings) -> None:
    """Each proof leads from its record to this very checkpoint."""
    count = 0
    for shown in records:
        if shown.proof is None or shown.leaf is None:
            continue
        if shown.proof.checkpoint != checkpoint:
            findings.fail("inclusion", f"{shown.id}: its proof carries another checkpoint than the bundle's")
            continue
        if shown.leaf.id != shown.id:
            findings.fail("inclusion", f"{shown.id}: its proof is about {shown.leaf.id}")
            continue
        if shown.statement is not None and (
            shown.leaf.kind != shown.statement.kind or shown.leaf.pae != pae_digest(shown.statement.payload)
        ):
            findings.fail("inclusion", f"{shown.id}: the log names another statement than the one shown")
        try:
            shown.proof.verify_inclusion()
            count += 1
        except LogError as problem:
            findings.fail("inclusion", f"{shown.id}: {problem}")
    findings.say("inclusion", f"{count} entries are in the log of {checkpoint.size} under this checkpoint")


def check_signer(
    checkpoint: Checkpoint,
    trust: Sequence[VerifierKey] | None,
    kept: Checkpoint | None,
    snapshot: Snapshot | None,
    findings: Findings,
) -> None:
    """Somebody the verifier trusts signed the checkpoint.

    Without trust the keys inside the bundle can show that it agrees with
    itself, and no more.
    """
    where = f"checkpoint {checkpoint.size} of {checkpoint.origin}"
    try:
        if trust is None:
            own = (
                [VerifierKey(checkpoint.origin, key.public) for key in snapshot.keys if key.role == LOG]
                if snapshot
                else []
            )
            checkpoint.verify(own)
            if kept is not None and kept.text == checkpoint.text:
                findings.say("checkpoint", f"{where} is the one you brought")
                return
            findings.doubt(
                "checkpoint", f"{where}: self-consistent, signer unknown; get the owner's keys and give --trust"
            )
            return
        signers = checkpoint.verify(trust)
        findings.say("checkpoint", f"{where} is signed by {', '.join(key.name for key in signers)}, which you trust")
    except UnknownSigner as problem:
        findings.doubt("checkpoint", str(problem))
    except LogError as problem:
        findings.fail("checkpoint", str(problem))


def check_kept(
    contents: Contents, checkpoint: Checkpoint, kept: Checkpoint, records: Sequence[Shown], findings: Findings
) -> None:
    """The checkpoint continues one that the verifier kept from earlier: nothing was rewritten in between."""
    if kept.origin != checkpoint.origin:
        findings.fail("checkpoint", f"you kept a checkpoint of {kept.origin}, the bundle is from {checkpoint.origin}")
    elif kept.size > checkpoint.size:
        findings.doubt(
            "checkpoint",
            f"the bundle ends at {checkpoint.size}, before your checkpoint at {kept.size}; ask for one made since, "
            "for the log may have been rolled back",
        )
    elif kept.size == checkpoint.size:
        if kept.root != checkpoint.root:
            findings.fail("checkpoint", f"the log forked: at size {kept.size} you hold another root than the bundle")
    else:
        _check_growth(contents, checkpoint, kept, records, findings)


def check_completeness(contents: Contents, records: Sequence[Shown], size: int, findings: Findings) -> None:
    """A bundle that claims a range has every entry of it."""
    claimed = contents.bundle["range"]
    hidden = sum(shown.value is None and shown.statement is None for shown in records)
    if claimed is None:
        findings.say("completeness", "every record shown is genuine; completeness is not proven for a selection")
        return
    start, end = claimed["from"], claimed["to"]
    if not start < end <= size:
        findings.fail("completeness", f"it claims entries {start} to {end - 1} of a log with {size}")
        return
    have = {shown.index for shown in records}
    if end - start > len(have):
        findings.fail("completeness", f"it claims {end - start} entries and has {len(have)}")
        return
    for index in range(start, end):
        if index not in have:
            findings.fail("completeness", f"entry {index} is missing from the range it claims")
    told = f", {hidden} of them withheld" if hidden else ""
    findings.say("completeness", f"complete: every entry from {start} to {end - 1} is here{told}")


def _check_growth(
    contents: Contents, checkpoint: Checkpoint, kept: Checkpoint, records: Sequence[Shown], findings: Findings
) -> None:
    path = consistency_path(kept.size)
    if path in contents.members.sizes:
        try:
            lines = read(contents.members, path).decode("ascii").splitlines()
            hashes = [decode64(line, path) for line in lines]
            verify_consistency(kept.size, checkpoint.size, kept.root, checkpoint.root, hashes)
        except (RegistryError, UnicodeDecodeError) as problem:
            findings.fail("checkpoint", f"it does not continue your checkpoint at {kept.size}: {problem}")
        return
    bodies = {shown.index: shown.proof.body for shown in records if shown.proof is not None}
    if any(index not in bodies for index in range(min(kept.size, len(bodies) + 1))):
        findings.doubt(
            "checkpoint",
            f"nothing here shows that {checkpoint.size} entries continue your {kept.size}; "
            f"ask for an export with a proof of that (`mintmark export … --consistency {kept.size}`)",
        )
        return
    leaves = [leaf_hash(bodies[index]) for index in range(kept.size)]
    found = root(kept.size, lambda level, index: fold(b"".join(leaves[index << level : (index + 1) << level])))
    if found != kept.root:
        findings.fail("checkpoint", f"the log was rewritten: its first {kept.size} entries are not the ones you know")
