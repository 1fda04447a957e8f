"""Which version this is. The package's build reads it here too."""

__version__ = "0.1.0"
