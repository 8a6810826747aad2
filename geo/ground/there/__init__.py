"""What lies beside roads, for readers: shares of a type against other types, and what differs between two roads."""
