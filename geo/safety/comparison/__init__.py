"""Whether types differ from comparable roads, and how sure that is."""
