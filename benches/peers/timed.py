"""Runs one command and writes what it used: `python timed.py USE STDOUT STDERR COMMAND…`.

A process of its own, since Linux counts the memory of the process that starts another one as the other's, up to the
moment of exec: what is started from here shows at least the 10 MB of this interpreter, and never more because of us.
"""

import json
import os
import sys
import time


def main():
    use, stdout, stderr, *command = sys.argv[1:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, stdout, flags, 0o644),
        (os.POSIX_SPAWN_OPEN, 2, stderr, flags, 0o644),
    ]
    start = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(process, 0)
    wall_s = time.perf_counter() - start
    with open(use, "w") as file:
        cpu_s = usage.ru_utime + usage.ru_stime
        exit_code = os.waitstatus_to_exitcode(status)
        json.dump({"exit_code": exit_code, "wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": usage.ru_maxrss / 1024}, file)


main()
