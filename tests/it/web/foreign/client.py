"""Python's websockets, told what to do: JSON lines in, JSON lines out. See program.rs."""

import asyncio
import json
import logging
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


def say(*event):
    print(json.dumps(event), flush=True)


class Pings(logging.Handler):
    """The library answers pings by itself. Its log tells of them."""

    def emit(self, record):
        if record.getMessage().startswith("< PING"):
            say("ping")


async def hear(socket):
    try:
        while True:
            say("text", await socket.recv())
    except ConnectionClosed:
        say("close", socket.close_code, socket.close_reason)


async def carry_out(socket, verb, argument):
    if verb == "text":
        await socket.send(argument)
    elif verb == "fragments":
        await socket.send([bytes.fromhex(part) for part in argument], text=True)
    elif verb == "binary":
        await socket.send(bytes.fromhex(argument))
    elif verb == "ping":
        await (await socket.ping(argument))
        say("pong", argument)
    elif verb == "raw":
        socket.transport.write(bytes.fromhex(argument))
    elif verb == "close":
        await socket.close(*argument)


async def main(url, ca, protocol, origin):
    log = logging.getLogger("client")
    log.setLevel(logging.DEBUG)
    log.propagate = False
    log.addHandler(Pings())
    more = {"ssl": ssl.create_default_context(cafile=ca)} if ca else {}
    try:
        socket = await connect(
            url, subprotocols=[protocol], origin=origin, proxy=None, logger=log, ping_interval=None, **more
        )
    except InvalidStatus as refused:
        return say("refused", refused.response.status_code)
    say("open", socket.subprotocol, len(socket.protocol.extensions))
    hearing = asyncio.create_task(hear(socket))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        try:
            await carry_out(socket, *json.loads(line))
        except ConnectionClosed:
            pass  # it was said
    socket.transport.abort()
    await hearing


asyncio.run(main(*json.loads(sys.argv[1])))
