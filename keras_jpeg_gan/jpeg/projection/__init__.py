"""Projections of any pixels to consistent ones: exactly in 8 bits, or in real arithmetic."""
