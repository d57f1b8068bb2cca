"""Long-lived worker processes for one method: Python's start, the imports and a warm-up lie before the first measured image."""

import multiprocessing
import os
import time

import numpy as np

from .methods import METHODS, SIDE

SPAWN = multiprocessing.get_context("spawn")


class Pool:
    """Workers that share a counter: whoever is free takes the next image, so that none waits for a slow one."""

    def __init__(self, method: str, cpus: list[int], warm_up: list[str]):
        self.counter = SPAWN.Value("q", 0)
        self.ends, self.workers = [], []
        for _ in cpus:
            ours, theirs = SPAWN.Pipe()
            worker = SPAWN.Process(target=work, args=(method, cpus, warm_up, theirs, self.counter), daemon=True)
            worker.start()
            theirs.close()  # So that a worker that died is an end of file here and not silence.
            self.ends.append(ours)
            self.workers.append(worker)
        for end in self.ends:
            end.recv()

    def seconds(self, paths: list[str], rows: str) -> tuple[float, float]:
        """Wall time from the list of files to all rows in the memory-mapped file `rows`, and the workers' CPU time."""
        self.counter.value = 0
        start = time.perf_counter()
        np.memmap(rows, dtype=np.uint8, mode="w+", shape=(len(paths), SIDE, SIDE, 3))
        for end in self.ends:
            end.send((paths, rows))
        spent = [end.recv() for end in self.ends]
        wall = time.perf_counter() - start
        for one in spent:
            if isinstance(one, str):
                raise RuntimeError(one)
        return wall, sum(spent)

    def close(self) -> None:
        for end in self.ends:
            end.send(None)
        for worker in self.workers:
            worker.join()


def work(method, cpus, warm_up, end, counter) -> None:
    """The life of one worker."""
    os.sched_setaffinity(0, cpus)
    row = METHODS[method]()
    for path in warm_up:
        row(path)
    end.send(None)
    while (job := end.recv()) is not None:
        try:
            start = time.process_time()
            fill(row, *job, counter)
            end.send(time.process_time() - start)
        except Exception as error:  # Told to the process that measures, which stops.
            end.send(f"{method}: {error!r}")


def fill(row, paths, rows, counter) -> None:
    out = np.memmap(rows, dtype=np.uint8, mode="r+", shape=(len(paths), SIDE, SIDE, 3))
    while True:
        with counter.get_lock():
            i = counter.value
            counter.value += 1
        if i >= len(paths):
            return
        pixels = row(paths[i])
        if pixels is not None:
            out[i] = pixels
