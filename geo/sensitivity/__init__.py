"""Whether findings would stand if choices had been made otherwise."""
