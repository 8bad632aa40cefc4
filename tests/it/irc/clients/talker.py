"""Says the lines of its input in a channel, and prints all that it hears: an id, a channel or nick, a nick, a text.

talker.py host port account channel cert; the password is TALKER_PASSWORD.
"""

import functools
import os
import ssl
import sys
import threading

import irc.bot
import irc.connection


def tell(*words):
    print(*words, flush=True)


class Talker(irc.bot.SingleServerIRCBot):
    def __init__(self, host, port, account, channel, cert):
        context = ssl.create_default_context(cafile=cert)
        wrapper = functools.partial(context.wrap_socket, server_hostname=host)
        server = irc.bot.ServerSpec(host, int(port), os.environ["TALKER_PASSWORD"])
        again = irc.bot.ExponentialBackoff(min_interval=1, max_interval=1)
        super().__init__(
            [server], account, account, recon=again, sasl_login=account,
            connect_factory=irc.connection.Factory(wrapper=wrapper),
        )
        self.channel = channel

    def on_welcome(self, connection, event):
        # The account of its lines has the last word on its nick.
        tell("welcome", event.target)
        connection.cap("REQ", "echo-message", "message-tags", "server-time")

    def on_cap(self, connection, event):
        if event.arguments[0] == "ACK" and "message-tags" in event.arguments[1]:
            connection.join(self.channel)

    def on_endofnames(self, connection, event):
        channel = event.arguments[0]
        tell("names", channel, *sorted(self.channels[channel].users()))

    def hear(self, connection, event):
        tags = {tag["key"]: tag["value"] for tag in event.tags or []}
        tell("said", tags.get("msgid", "-"), event.target, event.source.nick, event.arguments[0])

    on_pubmsg = on_privmsg = on_pubnotice = hear

    def on_disconnect(self, connection, event):
        tell("disconnected", event.arguments[0] if event.arguments else "")


talker = Talker(*sys.argv[1:])


def read():
    for line in sys.stdin:
        talker.connection.privmsg(talker.channel, line.rstrip("\n"))
    talker.disconnect("end of input")
    os._exit(0)


threading.Thread(target=read, daemon=True).start()
talker.start()
