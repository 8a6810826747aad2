"""What is said of types and segments, in the page and outside of it: kept, told, and taken back."""
