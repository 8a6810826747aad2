"""Cells as days and times: the forms that they are written in, and the clock of the place."""
