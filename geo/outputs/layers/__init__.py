"""What the layers are, and how frames become them."""
