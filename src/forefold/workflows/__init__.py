"""Whole tasks: streams of chunks, batches of files, the pipeline and its report."""
