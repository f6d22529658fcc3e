"""What look-up indexes, one fingerprint per file."""
