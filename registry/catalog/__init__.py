"""The catalog: SQL tables that make records searchable, rebuildable from the records."""
