"""Remembers work on its way: paid calls, budgets, runs of suites, workers, what the limiter admitted."""
