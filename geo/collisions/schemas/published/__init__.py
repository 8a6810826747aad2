"""Records as publishers lay them out: the columns and codes of each, with where these were published."""
