"""The vault: what opens the seals. A database of its own, so that it can be erased, guarded and backed up apart."""
