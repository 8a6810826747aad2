"""Labels as they are drawn: what is read of them, which places they make, and what they say of each piece of ground."""
