"""The public formats as JSON Schema, one folder per document, with valid and invalid samples."""
