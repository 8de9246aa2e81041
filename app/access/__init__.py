"""Who may ask the service, from where, and what browsers may do with its answers."""
