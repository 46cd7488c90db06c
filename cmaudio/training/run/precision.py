"""Which floating-point precision suits a device: bfloat16 is faster only where the hardware supports it."""

from __future__ import annotations

from typing import Literal

import torch

Precision = Literal["32-true", "bf16-mixed"]


def device_type(accelerator: str) -> str:
    """ "cuda", "mps" or "cpu": what "auto" resolves to, or the accelerator itself."""
    if accelerator != "auto":
        return accelerator
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def computes_bfloat16(device: str) -> bool:
    """Whether a type of device has bfloat16 arithmetic; others emulate it, several times slower than 32 bit."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device == "cpu":
        capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
        return any(bool(there) for name, there in capabilities.items() if name.endswith("bf16"))
    return False


def resolve_precision(precision: Precision | Literal["auto"], device: str) -> tuple[Precision, str]:
    """The precision to use, and a warning to show if the device emulates it ("" if not)."""
    native = computes_bfloat16(device)
    if precision == "auto":
        return ("bf16-mixed" if native else "32-true"), ""
    if precision == "bf16-mixed" and not native:
        return precision, (
            f"loop.precision bf16-mixed: this device ({device}) emulates bfloat16, which is several times slower than "
            "32 bit; --set loop.precision=auto chooses what the device computes natively"
        )
    return precision, ""
