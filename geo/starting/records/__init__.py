"""What the columns of a table of records hold, guessed from their names and their cells."""
