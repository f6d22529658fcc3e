"""Checks a bundle with nothing but its bytes: no network, no database."""
