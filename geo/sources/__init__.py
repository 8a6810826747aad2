"""Which files a source consists of, and what stands for the bytes that a driver reads of them."""
