"""What the page asks for, one module a subject; each gives ``router(page)``."""
