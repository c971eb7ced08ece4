"""The one place that imports torchaudio: ``from emoword.io.torchaudio_python import torchaudio``.

torchaudio's published Linux wheel has a part that is compiled against CUDA. Beside a CPU-only
torch that part cannot be loaded (there is no ``libc10_cuda.so``), so that ``import torchaudio``
fails, and with it ``transformers`` from 5.14 on, which imports torchaudio wherever it is
installed. Whoever imports a model of transformers therefore imports this module first.

All that is used here (resampling, mel filters) is torchaudio's Python part. torchaudio works
without the compiled part when ``torchaudio._extension.utils._load_lib`` says that its file is not
there; it only takes a file that is there and cannot be loaded as an error. So after just that
error, ``_load_lib`` is made to say so, and the import is tried again. Where the compiled part can
be loaded nothing fails and nothing is touched.
"""

import sys

try:
    import torchaudio
except OSError:
    # A failed import removes the module that failed from sys.modules, but not the ones that it
    # had imported successfully (Python's language reference, 5.3.1): this one is used again.
    loader = sys.modules.get("torchaudio._extension.utils")
    if loader is None:  # laid out otherwise than torchaudio 2.11: no guesses
        raise
    loader._load_lib = lambda _: False  # type: ignore[attr-defined]
    import torchaudio

__all__ = ["torchaudio"]
