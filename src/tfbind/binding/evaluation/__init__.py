"""Judging scores against labels: metrics, intervals, comparisons and cross-validation."""
