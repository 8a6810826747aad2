"""Encoders and how their embeddings are pooled."""

import geo.config  # noqa: F401 - first, whichever way a program comes in: kinds of encoders are sections of it, too
