"""What people write instead, with the same model: each file is a server of its own."""
