"""Capture: generations recorded while a program makes them, by a hook in it or a proxy before it.

from registry.capturing import context, install

install()
with context(workflow="storefront-hero", labels={"app": "storefront"}):
    client.images.generate(…)
"""

from registry.capturing.context import context
from registry.capturing.hook import install, uninstall
from registry.capturing.marking import generates

__all__ = ["context", "generates", "install", "uninstall"]
