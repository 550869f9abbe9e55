"""How the arithmetic of training is done: processes that share a batch, precision, compiled networks."""
