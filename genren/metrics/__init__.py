"""How good a result is: pure functions from predictions, or their features, to numbers. No files, no printing."""
