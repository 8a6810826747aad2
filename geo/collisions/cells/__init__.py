"""What the cells of collision records mean: text, numbers, dates, severities and road users."""
