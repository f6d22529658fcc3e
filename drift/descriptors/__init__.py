"""Media as numbers: the blocks of the image descriptor mm-desc-2, and the samples of the other media."""
