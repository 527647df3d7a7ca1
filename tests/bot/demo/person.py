"""Somebody who uses the chat over HTTP, as the page does."""


class Person:
    """`name` is the key that the page's `?as=` wants."""

    def __init__(self, session, chat, name):
        self.session, self.chat, self.name = session, chat, name

    async def act(self, **action):
        """What POST /act answers."""
        action.setdefault("channel", str(self.chat.channel_id))
        async with self.session.post(
            f"{self.chat.address}/act", params={"as": self.name}, json=action
        ) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def send(self, text, **more):
        return await self.act(do="send", text=text, **more)

    async def click(self, message, custom_id):
        return await self.act(do="click", message=message["id"], custom_id=custom_id)

    async def state(self, channel=None):
        query = {"as": self.name} | ({"channel": channel} if channel else {})
        async with self.session.get(f"{self.chat.address}/state", params=query) as answer:
            return await answer.json()

    async def messages(self, channel=None):
        return (await self.state(channel))["messages"]

    async def last(self, channel=None):
        return (await self.messages(channel))[-1]
