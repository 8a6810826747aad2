"""What the parts of the report say, in words and numbers ready to be shown."""
