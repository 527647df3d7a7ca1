"""Sends discord.py to the wire: Python imports this module of its own accord when its folder is on the path.

It is the only trick. The bot itself runs as everybody runs it, and has no switch for tests.
"""

import os
import sys

if sys.orig_argv[1:3] == ["-m", "bot"]:  # and not the drawing processes and trainers that it starts
    import yarl
    from discord.gateway import DiscordWebSocket
    from discord.http import Route

    Route.BASE = f"{os.environ['WIRE']}/api/v10"
    # Where discord.py goes when a session can't be resumed; each session names its own address.
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"{os.environ['WIRE'].replace('http', 'ws')}/gateway")
