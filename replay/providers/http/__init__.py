"""Remote providers over HTTP: whatever a description points at, sent once and followed to its end."""
