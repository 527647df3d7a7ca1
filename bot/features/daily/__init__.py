"""What the bot posts on its own: the dream bag of the day and the week's best."""
