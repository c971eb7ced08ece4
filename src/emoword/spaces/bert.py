"""Word vectors of a BERT-like model of transformers.

The paper does not say which vector of BERT is a word's. `static` is what the model knows of a word
before it has read anything, the mean of the input embeddings of its pieces: one vector a word, as
in GloVe. `last_layer` is the mean of its outputs at the pieces when it reads the word alone.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from emoword.io.errors import InputError
from emoword.io.torchaudio_python import torchaudio  # noqa: F401  before transformers: see there
from emoword.spaces.formats import Chunk

import transformers  # isort: skip

BATCH = 256  # words read at once, each alone in its row


@torch.inference_mode()
def read_bert(source: str, words: Sequence[str], vector: str, odd: Counter[str]) -> Iterator[Chunk]:
    """Give each word a vector of a BERT-like model, in chunks as `emoword.spaces.formats` has them.

    Args:
        source: a folder with a model and its tokenizer, or the name of one on the Hugging Face hub;
            an InputError where there is none.
        words: the words to take.
        vector: ``static`` or ``last_layer``.
        odd: ``unknown`` counts the words that the tokenizer has no pieces for.
    """
    tokenizer, model = _load(source)
    embeddings = model.get_input_embeddings().weight
    for start in range(0, len(words), BATCH):
        some = list(words[start : start + BATCH])
        pieces = zip(some, tokenizer(some, add_special_tokens=False).input_ids, strict=True)
        known = [(word, ids) for word, ids in pieces if ids and tokenizer.unk_token_id not in ids]
        odd["lines"] += len(some) - len(known)
        odd["unknown"] += len(some) - len(known)
        if not known:
            continue
        if vector == "static":
            vectors = torch.stack([embeddings[torch.tensor(ids)].mean(dim=0) for _, ids in known])
        else:
            vectors = _last_layer(tokenizer, model, [word for word, _ in known])
        yield [word.encode() for word, _ in known], vectors.numpy()


def _load(source: str) -> tuple[Any, Any]:
    """The tokenizer and the model; from the hub's cache without a network, if they lie there."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    reason = ""
    for local_files_only in (True,) if Path(source).is_dir() else (True, False):
        try:
            # no code that comes with a model is run, and nobody is asked to let it
            options: Any = {"local_files_only": local_files_only, "trust_remote_code": False}
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, **options)
            model, report = transformers.AutoModel.from_pretrained(
                source, output_loading_info=True, **options
            )
        except Exception as error:  # each format of a file fails with its own class
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            continue
        missing = sorted(key for key in report["missing_keys"] if not key.startswith("pooler."))
        if missing:  # they would be random
            raise InputError(f"{source}: lacks {len(missing)} of its weights, such as {missing[0]}")
        return tokenizer, model.eval().float()
    raise InputError(
        f"{source}: no model with a tokenizer there, nor on the Hugging Face hub as far as it can "
        f"be reached; fetch it beforehand with `hf download {source}` ({reason})"
    )


def _last_layer(tokenizer: Any, model: Any, words: list[str]) -> Tensor:
    """The mean of the outputs at each word's pieces, without special tokens: float32 [words, d]."""
    read = tokenizer(words, padding=True, return_special_tokens_mask=True, return_tensors="pt")
    pieces = (1 - read.pop("special_tokens_mask"))[:, :, None].float()  # padding counts as special
    outputs = model(**read).last_hidden_state
    means: Tensor = (outputs * pieces).sum(dim=1) / pieces.sum(dim=1)
    return means
