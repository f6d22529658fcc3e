"""``mintmark serve``: the HTTP API and its page."""

import click


@click.command(short_help="Serve the HTTP API and the look-up page.")
@click.option("--port", type=click.IntRange(0, 65535), default=8420, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="An address of this machine; no other yet.")
@click.option("--threads", type=click.IntRange(1, 64), default=4, show_default=True, help="Replays at a time, a lane.")
@click.option("--no-worker", is_flag=True, help="Make no replays here; `mintmark worker` does.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in a browser.")
def serve(port: int, host: str, threads: int, no_worker: bool, open_page: bool) -> None:
    """Serve the registry of this folder to programs and browsers on this machine, until Ctrl-C.

    What is asked for over HTTP (replays, runs of suites, notices) is made by a worker in this process, or with
    --no-worker by others that share the registry. Captured calls that ended programs left are recorded.

    Exit status: 0 stopped; 2 the host is not of this machine; 3 the port is taken.
    """
    import signal
    from contextlib import ExitStack
    from pathlib import Path

    from registry.capturing.emptying import Emptier
    from registry.erase import finish
    from registry.home import open_or_create
    from registry.http.serving import Listener, listen, warm
    from replay.asking import Asking
    from replay.jobs import Jobs
    from replay.keeping import Keeper

    listener: Listener = listen(host, port)  # before anything is made: a refused host leaves no registry behind
    registry, new = open_or_create(Path.cwd())
    with ExitStack() as ending:
        ending.callback(registry.close)
        if registry.catalog.intents():
            click.echo(f"completed {finish(registry)} interrupted erasures")
        if new:
            click.echo(f"made a registry in {registry.home}")
        click.echo(f"serving {registry.home}")
        click.echo(f"{listener.url}  (Ctrl-C ends it)")
        if open_page:
            click.launch(listener.url)
        # uvicorn ends cleanly on either signal and then raises it again; ending when asked to is no failure.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        warm(registry)  # before anything works in the background: what fails is said, and leaves nothing running
        emptier = Emptier(registry.home)
        emptier.start()
        ending.callback(emptier.stop)
        jobs = Jobs(registry.settings)
        ending.callback(jobs.close)
        if not no_worker:
            keeper = Keeper(registry, threads=threads)
            keeper.start()
            ending.callback(keeper.stop)
        listener.serve(registry, Asking(registry, jobs))
    click.echo("stopped", err=True)
