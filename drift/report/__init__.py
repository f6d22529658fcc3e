"""One self-contained HTML page per pair; nothing in it asks anything of anywhere."""
