"""Which rows of a table are which collisions: rows that repeat, ids that do, and tables of persons or vehicles."""
