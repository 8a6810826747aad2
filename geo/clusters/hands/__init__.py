"""What analysts say of the types of roads, and how it is taken up."""
