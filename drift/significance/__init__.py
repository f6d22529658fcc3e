"""Deciding on samples: permutation tests for one manifest and for a suite, sequential looks, what can be decided."""
