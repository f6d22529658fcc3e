"""Verifies a bundle, layer by layer."""

from collections.abc import Sequence
from pathlib import Path

from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.log.errors import LogError
from registry.verify.asset_files import check_assets
from registry.verify.container import BundleUnreadable, ContainerRefused, open_members
from registry.verify.contents import Contents, read_contents
from registry.verify.disclosed import check_disclosures
from registry.verify.documents import read_records
from registry.verify.logged import (
    check_completeness,
    check_inclusion,
    check_kept,
    check_signer,
    read_checkpoint,
)
from registry.verify.report import Findings, Report, State
from registry.verify.signed import check_bundle_signature, check_chain, check_signatures, in_force, read_snapshots


def verify(path: Path, *, trust: Sequence[VerifierKey] | None = None, checkpoint: Checkpoint | None = None) -> Report:
    """Check a bundle, zip or folder.

    Args:
        path: the bundle.
        trust: the log keys that the verifier trusts; None = it brought none.
        checkpoint: one that the verifier kept from earlier.

    Returns:
        The report; damaged input is a failed layer, never an exception.

    Raises:
        NotABundle: it is something else.
        BundleUnreadable: the path is not there or may not be read.
    """
    findings = Findings()
    try:
        members = open_members(path)
    except ContainerRefused as problem:
        findings.fail("container", str(problem))
        findings.stop("container", "the container")
        return findings.report(None)
    try:
        contents = read_contents(members, findings)
        if contents is None or State.FAILED in (findings.state("container"), findings.state("assets")):
            findings.stop("container", "the container" if findings.state("container") == State.FAILED else "the bundle")
            return findings.report(None)
        return findings.report(_check(contents, trust, checkpoint, findings))
    except ContainerRefused as problem:
        findings.fail("container", str(problem))
        return findings.report(None)
    except OSError as problem:
        raise BundleUnreadable(path, problem) from None
    finally:
        members.close()


def _check(contents: Contents, trust: Sequence[VerifierKey] | None, kept: Checkpoint | None, findings: Findings) -> int:
    """Everything above the container; answers how many records are shown, key records aside."""
    records = read_records(contents, findings)
    snapshots = read_snapshots(records, findings)
    check_signatures(records, snapshots, findings)
    check_chain(records, findings)
    checkpoint = read_checkpoint(contents, findings)
    if checkpoint is not None:
        check_bundle_signature(contents, records, snapshots, checkpoint.size, findings)
        check_inclusion(records, checkpoint, findings)
        check_signer(checkpoint, trust, kept, snapshots.get(in_force(records, checkpoint.size)), findings)
        check_completeness(contents, records, checkpoint.size, findings)
        if kept is not None:
            _check_kept_signature(kept, trust, findings)
            check_kept(contents, checkpoint, kept, records, findings)
    opened = check_disclosures(contents, records, findings)
    check_assets(contents, records, opened, findings)
    return sum(shown.statement is not None and shown.kind != "key" for shown in records)


def _check_kept_signature(kept: Checkpoint, trust: Sequence[VerifierKey] | None, findings: Findings) -> None:
    if trust is None:
        return
    try:
        kept.verify(trust)
    except LogError as problem:
        findings.fail("checkpoint", f"the checkpoint you brought is not signed by a key you trust: {problem}")
