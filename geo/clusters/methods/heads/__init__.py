"""Ways of clustering that train linear heads on frozen embeddings: how they are trained, and how several agree."""
