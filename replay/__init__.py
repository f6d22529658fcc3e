"""Upper floor: re-runs. Manifest in, replay and drift record out."""
