"""Takes in what was made before mintmark watched: files that tell about themselves, and tables of past calls."""
