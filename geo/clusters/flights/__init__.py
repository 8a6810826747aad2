"""Whether types of road are types of the flight that the imagery is from, and what is done about it."""
