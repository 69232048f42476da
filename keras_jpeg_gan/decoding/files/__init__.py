"""Images as files: inputs and outputs, formats, provenance, and runs over many of them."""
