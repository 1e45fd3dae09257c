"""What happens to particles before a detector's resolution: pure functions of arrays, one file a subject.

This room sees the kernels, the families and the species; it knows no card and no file.
"""
