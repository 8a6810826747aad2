"""The stages that write what a reader opens."""
