"""The work of single shards, on this machine or on another: tiles that are encoded, ground that is mapped."""
