"""Train AlexNet, look at what it learned, and export it for the service."""
