"""What changes an embedding and not the road: measured, and taken back before types are found."""
