"""The commands that need every floor, one file each."""
