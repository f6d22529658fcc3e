"""The blocks of the image descriptor mm-desc-2, one module each."""
