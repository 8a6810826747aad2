"""What files of roads and areas say: their layers, reference systems, classes and cells."""
