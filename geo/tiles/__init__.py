"""Where tiles lie along segments, and the algebra of their windows."""
