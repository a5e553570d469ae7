"""Figures, and the one page that shows them."""
