"""The append-only Merkle log that every record enters."""
