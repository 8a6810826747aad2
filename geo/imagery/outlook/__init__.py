"""What can be told of the imagery under the roads before anything is encoded."""
