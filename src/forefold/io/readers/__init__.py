"""Readers, one generator a module."""
