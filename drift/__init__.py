"""Ground floor: measures media; two files in, scores out. No database, no network, no settings."""
