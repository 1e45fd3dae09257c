"""The neighbours that work the same way, one room each; nothing of them is imported before it is asked for."""
