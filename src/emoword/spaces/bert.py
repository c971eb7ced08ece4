"""Word vectors of a BERT-like model of transformers.

The paper does not say which vector of BERT is a word's. `static` is what the model knows of a word
before it has read anything: one vector a word, as in GloVe. `last_layer` is what it makes of the
word when it reads it alone.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emoword.io.errors import InputError
from emoword.io.torchaudio_python import torchaudio  # noqa: F401  before transformers: see there

import transformers  # isort: skip

Float32 = NDArray[np.float32]


def load_bert(source: str) -> tuple[Any, Any]:
    """The tokenizer and the model in a folder, or of that name on the Hugging Face hub.

    What lies in the hub's cache is taken from there where there is no network.

    Raises:
        InputError: no such model.
    """
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    reasons = []
    for local_files_only in (True, False):  # what lies in the cache asks no network
        try:
            found = [
                loader.from_pretrained(source, local_files_only=local_files_only)
                for loader in (transformers.AutoTokenizer, transformers.AutoModel)
            ]
            return found[0], found[1].eval().float()
        except (OSError, ValueError) as error:
            reasons.append(str(error).splitlines()[0])
        if Path(source).is_dir():
            break
    raise InputError(
        f"{source}: no model with a tokenizer there, nor on the Hugging Face hub as far as it can "
        f"be reached; fetch it beforehand with `hf download {source}` ({reasons[-1]})"
    )


@torch.inference_mode()
def static(tokenizer: Any, model: Any, words: Sequence[str]) -> Float32:
    """The mean of the input embeddings of each word's pieces, float32 [words, d]."""
    embeddings = model.get_input_embeddings().weight
    pieces = tokenizer(list(words), add_special_tokens=False).input_ids
    means = [embeddings[torch.tensor(ids)].mean(dim=0) for ids in pieces]
    return torch.stack(means).numpy()


@torch.inference_mode()
def last_layer(tokenizer: Any, model: Any, words: Sequence[str]) -> Float32:
    """The mean of the last layer's outputs at each word's pieces, float32 [words, d].

    Each word stands alone between the tokenizer's special tokens, which are left out of the mean.
    """
    read = tokenizer(
        list(words), padding=True, return_special_tokens_mask=True, return_tensors="pt"
    )
    special = read.pop("special_tokens_mask")  # padding counts as special
    outputs = model(**read).last_hidden_state
    weights = (1 - special)[:, :, None].float()
    means: Float32 = ((outputs * weights).sum(dim=1) / weights.sum(dim=1)).numpy()
    return means
