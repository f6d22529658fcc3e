"""Ground floor: measures, checks, tests and reports drift of media files. No database, no network, no settings."""
