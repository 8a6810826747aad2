"""Road types found from embeddings, blind to collisions."""

import geo.config  # noqa: F401 - first, whichever way a program comes in: ways of clustering are sections of it, too
