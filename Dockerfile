# docker build --tag bag-dreams .                          for processors
# docker build --tag bag-dreams --build-arg TORCH=cuda .   for NVIDIA GPUs (run it with --gpus all)
FROM python:3.11-slim-bookworm AS build
ARG TORCH=cpu
WORKDIR /app
RUN python3 -m venv .venv
# The libraries come before the code, which changes more often.
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY bot/__init__.py bot/install.py bot/
COPY gan/__init__.py gan/
COPY scraper/__init__.py scraper/
RUN .venv/bin/python -m bot.install --torch "$TORCH" --extras postgresql,quality
COPY . .

FROM python:3.11-slim-bookworm
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 BOT_HEALTH_PORT=9600
WORKDIR /app
RUN useradd --uid 1000 --create-home bag && install --directory --owner bag data
COPY --from=build /app /app
USER 1000
VOLUME /app/data
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f\"http://127.0.0.1:{os.environ['BOT_HEALTH_PORT']}/healthz\", timeout=10)"]
CMD ["python", "-m", "bot"]
