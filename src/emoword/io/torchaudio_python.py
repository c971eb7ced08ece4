"""torchaudio, also where its compiled part cannot be loaded; import it from here alone.

Its published Linux wheel is compiled against CUDA. Beside a CPU-only torch, ``import torchaudio``
fails for want of ``libc10_cuda.so``, and with it ``transformers``, which imports torchaudio where
it is installed: so import this module before transformers.

What is used here (resampling, mel filters) is Python. torchaudio works without its compiled part
if its loader says that there is none; after such a failure it is made to say so.
"""

import sys

try:
    import torchaudio
except OSError:
    # a failed import leaves the modules in sys.modules that it had imported before
    sys.modules["torchaudio._extension.utils"]._load_lib = lambda _: False  # type: ignore[attr-defined]
    import torchaudio

__all__ = ["torchaudio"]
