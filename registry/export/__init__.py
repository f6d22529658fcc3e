"""Takes records out of the registry, for people and programs elsewhere."""
