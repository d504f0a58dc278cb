"""What `auto` means on this machine, found out without importing torch where that can be avoided."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from pipelines.errors import ConfigurationError, shorten

Device = Literal["auto", "cpu", "cuda", "mps"]
_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


@cache
def resolve_device(device: Device) -> Device:
    """Return the device that is meant.

    Raises:
        ConfigurationError: for a device that this machine lacks.
    """
    if device == "auto":
        return next((d for d in ("cuda", "mps") if _has(d)), "cpu")
    if device != "cpu" and not _has(device):
        raise ConfigurationError(f"The device '{device}' was asked for, but this machine has none; use cpu or auto.")
    return device


def _has(device: str) -> bool:
    if device == "cuda" and not any(
        Path(p).exists() for p in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
    ):
        return False
    if device == "mps" and sys.platform != "darwin":
        return False
    import torch

    return bool(torch.cuda.is_available() if device == "cuda" else torch.backends.mps.is_available())


def multiplies_bfloat16(device: Device) -> bool:
    """Return whether the hardware multiplies bfloat16."""
    if device == "cuda":
        import torch

        return bool(torch.cuda.is_bf16_supported())
    return device == "cpu" and bool(_cpu_flags() & _BFLOAT16)


@cache
def _cpu_flags() -> frozenset[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return frozenset(flags.partition(":")[2].split())


def threads() -> int:
    """Return how many threads a model computes with: RAG_WORKBENCH_THREADS, else OMP_NUM_THREADS, else every core.

    Vectors do not depend on it, to the bit. Several workers on one machine each set their share.

    Raises:
        ConfigurationError: when it is set to something else than a positive whole number.
    """
    asked = os.environ.get("RAG_WORKBENCH_THREADS", "")
    if not asked:
        common = os.environ.get("OMP_NUM_THREADS", "")
        if common.isdecimal() and int(common):
            return int(common)
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not asked.isdecimal() or int(asked) < 1:
        raise ConfigurationError(
            f"RAG_WORKBENCH_THREADS is '{shorten(asked)}', but must be a whole number from 1; correct it or unset it."
        )
    return int(asked)


@cache
def machine() -> str:
    """Return the processor and the number of cores: timings are comparable only on one machine."""
    import platform

    import psutil

    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{name}, {psutil.cpu_count()} cores"
