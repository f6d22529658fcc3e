"""Capture: vendor exchanges read into manifests, by descriptions that are data."""
