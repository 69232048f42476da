"""Measures models on photographs: a row per image, a table of means, figures, a report."""
