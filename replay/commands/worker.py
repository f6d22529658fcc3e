"""``mintmark worker``: takes jobs, on this machine or any other."""

import click


@click.command(short_help="Take jobs: replays, runs of suites, notices.")
@click.option("--threads", type=click.IntRange(1, 256), default=4, show_default=True, help="Replays at a time, a lane.")
@click.option("--lane", "lanes", multiple=True, type=click.Choice(["interactive", "batch"]),
              help="Serve this lane only. Repeatable; both where left out.")  # fmt: skip
def worker(threads: int, lanes: tuple[str, ...]) -> int:
    """Take jobs until SIGTERM or Ctrl-C, which hands over what waits and finishes what cannot be left.

    Any number of workers may share a registry, with its database and its jobs on PostgreSQL on many machines; the keys
    of the providers have to be in each one's environment. A second signal ends it at once.

    Exit status: 0 stopped; 3 a database cannot be reached.
    """
    from registry.capturing.emptying import Emptier
    from registry.commands.printing import open_for_change
    from replay.keeping import keep_working

    registry = open_for_change()
    Emptier(registry.home).start()  # a drain that runs then ends by itself after this process
    keep_working(registry, threads=threads, lanes=lanes or ("interactive", "batch"))  # type: ignore[arg-type]
    return 0
