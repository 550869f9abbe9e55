"""The networks of the method, the model that joins them, the critics, and checkpoints."""
