"""One adapter per external program."""
