"""How designs become pictures: the studio, its queue, and the processes that draw."""
