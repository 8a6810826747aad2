"""What the picture says about collisions, beyond what is known without it."""
