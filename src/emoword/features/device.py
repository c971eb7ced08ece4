"""Where torch computes."""

import os
import platform

import torch

from emoword.io.errors import InputError


def pick_device(name: str) -> torch.device:
    """The device of that name; ``auto`` is CUDA, else MPS, else the CPU.

    Raises:
        InputError: there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"--device {name}: {reason}; auto takes what is there") from error
    return device


def place(device: torch.device) -> str:
    """A line for the log: the device, the machine, and what a scheduler gave to this job."""
    given = [
        f"{name}={os.environ[name]}"
        for name in ("CUDA_VISIBLE_DEVICES", "SLURM_JOB_ID", "SLURM_JOB_GPUS")
        if name in os.environ
    ]
    return " ".join([f"on {device} of {platform.node()}", *given])
