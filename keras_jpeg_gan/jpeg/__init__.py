"""JPEG files, their levels and libjpeg's arithmetic (NumPy); projections and tensors below."""
