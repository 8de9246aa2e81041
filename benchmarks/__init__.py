"""How fast the service is, against what the machine can do and against what people write."""
