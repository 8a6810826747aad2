"""Road types found from embeddings, blind to collisions."""
