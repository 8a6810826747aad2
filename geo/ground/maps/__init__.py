"""Feature maps of several strides, and the pieces of ground that they are of."""
