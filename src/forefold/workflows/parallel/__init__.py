"""Many files on many cores and machines: parts made by workers, put together to the bytes that one process writes.

A part is a range of entries of one file. What a worker makes of it depends on the job's manifest only, so a part that is
lost is made again, and one that is made twice changes nothing. `forefold.smear_files` and `forefold.fill_files` are the
doors; nothing is imported here, because a process that begins must not load a compiler before it knows its threads.
"""
