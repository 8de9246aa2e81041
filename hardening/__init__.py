"""What the service withstands: tests that take too long, or too many tools, for `make test`."""
