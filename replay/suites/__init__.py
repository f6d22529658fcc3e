"""Suites: many manifests with policies, replayed and judged as one."""
