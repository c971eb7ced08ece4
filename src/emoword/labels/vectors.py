"""Look up the vectors of a label set's words, so that training needs no word space."""

from pathlib import Path

from emoword.io.errors import InputError
from emoword.io.files import replacing, write_array
from emoword.labels.words import read_classes, read_words
from emoword.spaces.word_space import WordSpace


def encode_words(targets: Path, /, *, space: Path, out: Path) -> None:
    r"""Look up the vectors of a label set's words, and of the classes, in a word space.

    Written are, in OUT: words.txt (UTF-8, one word a line) and vectors.npy (float32 [words,
    dimensions]). The mean of an utterance's vectors is its training target (paper, equation 4).

        emoword encode targets/S2-embedded-1a2b3c4d --space results/spaces/embedded \
            --out vectors/S2-embedded-1a2b3c4d

    Args:
        targets: Folder of the label set.
        space: Folder of the word space.
        out: Folder of the vectors.
    """
    classes = read_classes(targets)
    words = sorted({*read_words(targets)["word"], *classes})
    opened = WordSpace.open(space)
    lacking = [word for word in classes if word not in opened]
    if lacking:
        raise InputError(
            f"labels that the word space {space} lacks: {', '.join(lacking)}; "
            "give their nouns (labels: nouns) or leave them out (labels: classes)"
        )
    vectors = opened.vectors_of(words)
    null = [word for word, vector in zip(words, vectors, strict=True) if not vector.any()]
    if null:
        raise InputError(f"{space}: the vectors of {', '.join(null)} are zero: no direction")
    with replacing(out) as folder:
        folder.mkdir()
        (folder / "words.txt").write_text("".join(f"{w}\n" for w in words), encoding="utf-8")
        write_array(vectors, folder / "vectors.npy")
    print(f"{len(words)} words, {vectors.shape[1]} dimensions")
