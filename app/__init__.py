"""An image-classification service for AlexNet."""
