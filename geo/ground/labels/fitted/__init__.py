"""What is fitted to labelled ground, and how it is judged at places that were left out."""
