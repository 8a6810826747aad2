"""What lies between the command line and who sits before it: screens, help, and how much is told."""
