"""Models measured on photographs: a row an image, a table of means."""
