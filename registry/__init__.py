"""Middle floor: remembers. Manifests, assets, log, catalog, look-up, export, HTTP API and pages."""

__version__ = "0.1.0"
