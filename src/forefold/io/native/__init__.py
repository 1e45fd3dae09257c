"""Files that forefold writes and reads back: parquet, csv, ROOT, HDF5 and NuHepMC, one module each.

Importing this room loads none of them.
"""
