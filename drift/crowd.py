"""Many comparisons at a time: each on one thread, since threads inside of threads cost more than they save."""

import cv2


def one_thread_each() -> None:
    """Keep OpenCV from starting threads of its own, from now on, in this process.

    Of four comparisons on two cores, its own threads take 40 % of all the time they use.
    """
    cv2.setNumThreads(1)
