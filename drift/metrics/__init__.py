"""One metric per file; ``listing`` names them all."""
