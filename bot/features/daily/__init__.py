"""What the bot posts by itself: the dream bag of the day and the week's best."""
