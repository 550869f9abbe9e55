"""Every loss term of the method, as functions of tensors, and the weighted total (method: 3)."""
