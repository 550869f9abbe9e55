"""Doors for DVC: each reads the parameters, calls one step and writes."""
