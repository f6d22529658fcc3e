"""``mintmark proxy``: a recording reverse proxy for programs of any language."""

import click


@click.command(short_help="Record what programs of any language generate, on the way through.")
@click.option("--port", type=click.IntRange(0, 65535), default=8421, show_default=True, help="0 takes a free one.")
def proxy(port: int) -> None:
    """Carry requests for /{provider}/… to the provider and record generations on the way, until Ctrl-C.

    It listens on this machine only. Bytes pass unchanged and unbuffered both ways; the caller's key is passed on and
    kept nowhere. If recording fails, the caller does not notice, and the call waits in the registry's spool.

    Exit status: 0 stopped; 2 a variable is wrong; 3 the port is taken, or nothing can be recorded here.
    """
    import asyncio
    import contextlib
    import signal
    import sys

    from registry.capturing.draining import Drain
    from registry.capturing.proxy import Proxy
    from registry.capturing.recorder import Recorder
    from registry.commands.printing import writing
    from registry.errors import counted
    from registry.http.serving import listen

    listener = listen("127.0.0.1", port)
    home = writing().home
    drain = Drain(home, adopts=False)
    recorder = Recorder(home, drain=drain, in_memory=3 << 20)
    waiting = sum(1 for _ in recorder.spool.waiting())
    if waiting:
        click.echo(f"{counted(waiting, 'call')} wait in {recorder.spool.folder} and are tried again")
    click.echo(f"recording into {home}")
    for name, place in sorted(recorder.known.places.items()):
        click.echo(f"  {listener.url}{name}  ->  {place.base_url}")
    click.echo(f"{listener.url}  (Ctrl-C ends it)")
    recorder.adopt(every_s=2.0)  # not by its drain: a caller that goes on asking brings the key of its job
    drain.start()
    sys.setswitchinterval(0.0005)  # seconds; callers wait for no thread that works beside them

    async def serve() -> None:
        serving = asyncio.ensure_future(Proxy(recorder).serve(listener.socket))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await serving

    asyncio.run(serve())
    recorder.close(30.0)
    click.echo(f"stopped; recorded {counted(drain.recorded, 'generation')}", err=True)
