"""The exercises on an inherited project."""
