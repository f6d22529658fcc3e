"""Every emulated vendor; ``python -m emulator.everybody`` in tests/ serves them until it is interrupted."""

import importlib
import pkgutil
import time
from pathlib import Path

from emulator.server import KEY, Emulator, Vendor


def every_vendor() -> list[type[Vendor]]:
    """The vendor classes of every module in ``vendors/``."""
    folder = Path(__file__).with_name("vendors")
    modules = [
        importlib.import_module(f"emulator.vendors.{found.name}") for found in pkgutil.iter_modules([str(folder)])
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return [value for value in dict.fromkeys(found) if issubclass(value, Vendor) and value.name]


def emulator() -> Emulator:
    """A server with all of them."""
    return Emulator(*every_vendor())


if __name__ == "__main__":
    with emulator() as running:
        for variable, url in running.environment().items():
            print(f"export {variable}={url}", flush=True)
        print(f"# every key is {KEY}", flush=True)
        while True:
            time.sleep(3600)
