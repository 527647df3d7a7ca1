"""What the machine offers: the device to train on, its threads, and whether bfloat16 is faster there."""

import os
import time

import torch

from gan.errors import UserError
from gan.networks import Discriminator


class DeviceError(UserError):
    """A device that this machine does not have; the message is one line."""


def choose(name: str, number: int = 0) -> torch.device:
    """The device of that name, of several GPUs the `number`-th; `auto`: CUDA, else MPS, else the CPU.

    Raises DeviceError if this machine does not have it.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, available in there.items() if available)
    if not there[name]:
        raise DeviceError(f"this machine has no device {name}: use auto or cpu")
    if name == "cuda":
        torch.cuda.set_device(number)
        torch.backends.cudnn.benchmark = True  # all batches have one shape
        return torch.device(name, number)
    return torch.device(name)


def use_threads(count: int) -> int:
    """Let torch use that many CPU threads (0: all cores but one, for the bot beside it); returns how many."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = count or max(1, cores - 1)
    torch.set_num_threads(count)
    return count


def precision(name: str, device: torch.device) -> str:
    """`bf16` or `fp32`; `auto`: bf16 where the device computes it natively, on a CPU where it is faster."""
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    if device.type == "mps":
        return "fp32"
    # A CPU without bfloat16 instructions emulates them, many times slower; no public call tells which it is.
    return "bf16" if _seconds(bf16=True) < 0.9 * _seconds(bf16=False) else "fp32"


def width(channels: int, device: torch.device) -> int:
    """The recipe's `channels`, or for 0 the width that suits the device."""
    return channels or (128 if device.type == "cpu" else 512)


def _seconds(*, bf16: bool) -> float:
    """CPU seconds of the fastest of a few passes through a small discriminator, there and back."""
    network = Discriminator(128, 64, "none").to(memory_format=torch.channels_last)
    pictures = torch.zeros(16, 3, 64, 64).to(memory_format=torch.channels_last)
    taken = []
    for _ in range(6):
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(pictures)
        logits.float().sum().backward()
        taken.append(time.process_time() - start)
    return min(taken)
