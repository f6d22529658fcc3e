"""The bytes of inputs and outputs: stored once, addressed by digest."""
