"""The derived index: words, fingerprints and sealed digests. Follows the log; can be thrown away and rebuilt."""
