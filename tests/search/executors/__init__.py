"""A package, so that the fixtures of scope `package`, a Ray cluster among them, end with its last test."""
