"""Only inflates the files of a table, on a thread for each core: the floor below every query over gzipped logs.

zlib lets go of Python's lock while it inflates, so threads do run beside each other. What is inflated is thrown away.
"""

import json
import os
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor

BLOCK_BYTES = 1 << 18


def inflated_bytes(path):
    """Counts the bytes in a file, member after member."""
    n_bytes = 0
    with open(path, "rb") as file:
        decoder = zlib.decompressobj(wbits=31)
        while block := file.read(BLOCK_BYTES):
            while block:
                n_bytes += len(decoder.decompress(block))
                block = b""
                if decoder.eof:
                    block = decoder.unused_data
                    decoder = zlib.decompressobj(wbits=31)
    return n_bytes


def main():
    with open(sys.argv[1]) as file:
        job = json.load(file)
    for name, table in job["tables"].items():
        paths = [entry.path for entry in os.scandir(table["folder"])]
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            print(name, sum(threads.map(inflated_bytes, paths)), sep="\t")


main()
