"""An image-classification service for AlexNet."""

__version__ = "0.1.0"
