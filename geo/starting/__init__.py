"""A city's first file: what lies in a folder, what it may be, and what only somebody who knows it can say."""
