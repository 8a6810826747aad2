"""What is kept on disk: stages, digests, locks, and what may go."""
