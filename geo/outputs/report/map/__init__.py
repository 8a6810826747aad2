"""The map of the report page: what it holds, how it is coloured, and the figure that is drawn."""
