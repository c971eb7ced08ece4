"""Where torch computes, and in which versions."""

import importlib.metadata
import os
import platform
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import torch

from emoword import __version__
from emoword.io.errors import InputError


def pick_device(name: str) -> torch.device:
    """The device of that name, if it is here; ``auto`` is CUDA, else MPS, else the CPU."""
    if name == "auto":
        others = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        name = next((other for other, there in others.items() if there), "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--device {name}: {reason}; auto takes what is there") from error
    return device


def device_name(device: torch.device) -> str:
    """``cpu``, or what a GPU is called."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def versions(*packages: str) -> dict[str, str]:
    """Versions of emoword, of Python and of packages."""
    installed = {name: importlib.metadata.version(name) for name in packages}
    return {"emoword": __version__, "python": platform.python_version()} | installed


def surroundings(device: torch.device, threads: int) -> dict[str, Any]:
    """Where and with what something is computed."""
    return {
        "device": device_name(device),
        "machine": platform.machine(),
        "threads": threads,
        # torch's own word names the CUDA that it was built for
        "versions": versions("torch", "numpy") | {"torch": torch.__version__},
    }


def place(device: torch.device) -> str:
    """A line for the log: the device, the machine, and what a scheduler gave to this job."""
    given = [
        f"{name}={os.environ[name]}"
        for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "SLURM_JOB_GPUS")
        if name in os.environ
    ]
    return " ".join([f"on {device} of {platform.node()}", *given])


@cache
def processor() -> str:
    """What Linux says of the first processor (vendor, flags); empty elsewhere."""
    path = Path("/proc/cpuinfo")
    return path.read_text().partition("\n\n")[0] if path.is_file() else ""


def warn_of_slow_bfloat16(device: torch.device, precision: str) -> None:
    """Say so where bfloat16 is asked of a processor that has no instructions for it."""
    known = device.type == "cpu" and processor()
    if known and precision == "bfloat16" and not re.search(r"\b(avx512_|amx_|)bf16\b", known):
        print(
            "emoword: precision bfloat16: this processor has no instructions for it (avx512_bf16, "
            "amx_bf16); float32 is faster here, and more exact",
            file=sys.stderr,
        )
