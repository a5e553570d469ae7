"""A small seeded fuzzer for everything that reads a user's file; see tests/fuzz/README.md."""
