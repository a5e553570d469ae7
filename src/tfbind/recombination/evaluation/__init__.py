"""Judging a map against a known one."""
