"""The only decoders: what a file is, and its pixels, samples or words."""
