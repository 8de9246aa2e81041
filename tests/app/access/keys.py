"""Keys for tests."""

KEY = "a-key-of-the-tests-0123456789"
OTHER_KEY = "another-key-of-the-tests-0123"
WRONG_KEY = "a-key-that-nobody-has-been-given"
