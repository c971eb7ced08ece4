"""Measure emoword's word space beside gensim and beside the bare matrix product; print one table.

A text file in GloVe's format is written (glove_like.py), then each row of the table is measured in
processes of their own, one after the other, with the same number of threads:

1. text to store, beside gensim's load_word2vec_format(no_header=True). gensim stops at tokens with
   spaces, so that it reads the same file without these.
2. open the store and look up 10 words, beside gensim's KeyedVectors.load(mmap="r"). Without the
   imports, which are before the clock starts; the memory is the whole process's.
3. the exact 10 nearest words of many queries, beside gensim's most_similar for each query (of a
   random sample of them, scaled up) and beside the bare float32 product by numpy, in blocks, whose
   results nobody looks at: the floor. Where faiss is installed (pip install faiss-cpu), beside its
   IndexFlatIP, too, whose neighbours are those of float32.

Times are wall-clock, of one run each in row 1, the median of five processes in row 2 and of three
in row 3, taken in turn; memory is the peak resident size (VmHWM, so Linux) of the process, mapped
files included. Both find the files in the page cache.

    python benchmarks/word_space.py                  # 200,000 words, a few minutes
    python benchmarks/word_space.py --full           # GloVe 840B's shape: 14 GB of disk, 20 minutes
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from glove_like import DIM, FULL, write_glove_like

RUN = Path(__file__).parents[1] / "run"
QUERIES = 5531  # the utterances of the paper
K = 10
Measured = dict[str, float]


def text_to_store(folder: Path) -> Measured:
    """The whole command: sha256, parse, check, write."""
    from emoword.cli import main

    command = ["space", "--format", "glove", "--source", str(folder / "odd.txt")]
    return timed(lambda: main([*command, "--out", str(folder / "store")]))


def text_to_gensim(folder: Path) -> Measured:
    """Gensim's reader, into memory; what row 2 loads is saved after the clock has stopped."""
    from gensim.models import KeyedVectors

    def load() -> None:
        nonlocal vectors
        vectors = KeyedVectors.load_word2vec_format(
            folder / "plain.txt", no_header=True, unicode_errors="replace"
        )

    vectors = None
    measured = timed(load)
    vectors.save(str(folder / "gensim.kv"))
    return measured


def open_store(folder: Path) -> Measured:
    """Open, and look up ten words."""
    from emoword.spaces.word_space import WordSpace

    words = json.loads((folder / "words.json").read_text())
    return timed(lambda: WordSpace.open(folder / "store").vectors_of(words))


def open_gensim(folder: Path) -> Measured:
    """The same with gensim."""
    from gensim.models import KeyedVectors

    words = json.loads((folder / "words.json").read_text())

    def look_up() -> None:
        vectors = KeyedVectors.load(str(folder / "gensim.kv"), mmap="r")
        for word in words:
            vectors[word]

    return timed(look_up)


def neighbours(folder: Path) -> Measured:
    """All queries at once; the results are kept, to be compared."""
    from emoword.spaces.neighbours import nearest_words
    from emoword.spaces.word_space import WordSpace

    queries = np.load(folder / "queries.npy")

    def search() -> None:
        space = WordSpace.open(folder / "store")
        indices, _ = nearest_words(space, queries, K)
        np.save(folder / "found.npy", indices)

    return timed(search)


def neighbours_product(folder: Path) -> Measured:
    """The float32 products alone, in the best of some block sizes."""
    vectors = np.load(folder / "store/vectors.npy", mmap_mode="r")
    queries = np.load(folder / "queries.npy").astype(np.float32)
    memory = np.empty(len(queries) * 8192, np.float32)

    def multiply(tile: int, block: int, rows: int) -> None:
        for start in range(0, rows, block):
            part = vectors[start : min(start + block, rows)]
            for first in range(0, len(queries), tile):
                some = queries[first : first + tile]
                out = memory[: len(some) * len(part)].reshape(len(some), len(part))
                np.matmul(some, part.T, out=out)

    np.add.reduce(vectors, axis=0)  # into the page cache
    shapes = [(len(queries), 2048), (512, 2048), (512, 8192), (1024, 4096)]
    probe = min(len(vectors), 50_000)
    multiply(*shapes[0], probe)  # warm up
    seconds = {shape: timed(lambda s=shape: multiply(*s, probe))["seconds"] for shape in shapes}
    best = min(seconds, key=lambda shape: seconds[shape])
    return timed(lambda: multiply(*best, len(vectors)))


def neighbours_gensim(folder: Path) -> Measured:
    """most_similar for a sample of the queries, scaled up to all."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors.load(str(folder / "gensim.kv"), mmap="r")
    queries = np.load(folder / "queries.npy").astype(np.float32)
    sample = np.random.default_rng(1).permutation(len(queries))[: max(2, len(queries) // 50)]
    vectors.most_similar([queries[0]], topn=K)  # it makes the lengths at the first call

    def search() -> None:
        for i in sample:
            vectors.most_similar([queries[i]], topn=K)

    measured = timed(search)
    return measured | {"seconds": measured["seconds"] * len(queries) / len(sample)}


def neighbours_faiss(folder: Path) -> Measured:
    """The same with faiss, which takes copies of all vectors, of length one."""
    import faiss

    queries = np.load(folder / "queries.npy").astype(np.float32)

    def search() -> None:
        vectors = np.load(folder / "store/vectors.npy")
        for array in (vectors, queries):
            faiss.normalize_L2(array)
        index = faiss.IndexFlatIP(DIM)
        index.add(vectors)
        index.search(queries, K)

    return timed(search)


CHILDREN: dict[str, Callable[[Path], Measured]] = {
    function.__name__: function
    for function in (
        *(text_to_store, text_to_gensim, open_store, open_gensim),
        *(neighbours, neighbours_product, neighbours_gensim, neighbours_faiss),
    )
}


def timed(work: Callable[[], object]) -> Measured:
    """Seconds that ``work`` takes, and the peak resident size of the process, in MB."""
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    status = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return {"seconds": seconds, "megabytes": peak * 1024 / 1e6}


def measure(name: str, folder: Path, threads: int) -> Measured:
    """Run one of CHILDREN in a process of its own."""
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
    environment = os.environ | dict.fromkeys(names, str(threads))
    # what ./run tells malloc
    environment |= dict(re.findall(r"(MALLOC_\w+)=(\d+)", RUN.read_text()))
    command = [sys.executable, __file__, "--folder", str(folder), "--child", name]
    print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def medians(names: Sequence[str], folder: Path, threads: int, repeats: int) -> dict[str, Measured]:
    """Medians of some processes of each, in turn, so that what else runs here falls on all."""
    runs = [{name: measure(name, folder, threads) for name in names} for _ in range(repeats)]
    return {
        name: {key: statistics.median(run[name][key] for run in runs) for key in runs[0][name]}
        for name in names
    }


def write_queries(folder: Path, count: int) -> None:
    """Queries that lie between words, as predictions do; and ten words to look up."""
    from emoword.spaces.word_space import WordSpace

    rng = np.random.default_rng(2)
    space = WordSpace.open(folder / "store")
    rows = rng.integers(0, len(space), (count, 3))
    means = space.vectors[rows].astype(np.float64).mean(axis=1)
    np.save(folder / "queries.npy", means + 0.02 * rng.normal(size=means.shape))
    words = (space.word(i) for i in rng.permutation(len(space)))
    # gensim has no token with a space
    chosen = [word for word, _ in zip((w for w in words if " " not in w), range(10), strict=False)]
    (folder / "words.json").write_text(json.dumps(chosen))


def check_exact(folder: Path) -> None:
    """Compare a sample of the neighbours with float64 throughout."""
    from emoword.spaces.word_space import WordSpace

    space = WordSpace.open(folder / "store")
    found, queries = np.load(folder / "found.npy"), np.load(folder / "queries.npy")
    sample = np.random.default_rng(3).permutation(len(queries))[:20]
    cosines = np.empty((len(sample), len(space)))
    for start in range(0, len(space), 8192):
        rows = space.vectors[start : start + 8192].astype(np.float64)
        product = queries[sample] @ rows.T
        cosines[:, start : start + 8192] = product / np.linalg.norm(rows, axis=1)
    best = np.argsort(-cosines, axis=1, kind="stable")[:, :K]
    assert np.array_equal(best, found[sample]), "the neighbours are not those of float64"


def table(words: int, queries: int, threads: int, measured: dict[str, Measured]) -> str:
    """The measurements as a table in Markdown."""
    lines = ["| what | emoword | peer | times as fast |", "|---|---|---|---|"]

    def row(what: str, own: str, peer: str, label: str) -> None:
        a, b = measured[own], measured[peer]
        ratio = b["seconds"] / a["seconds"]
        lines.append(f"| {what} | {show(a)} | {label}: {show(b)} | {ratio:.2f} |")

    row("text to store", "text_to_store", "text_to_gensim", "gensim load_word2vec_format")
    row("open, look up 10 words", "open_store", "open_gensim", 'gensim load(mmap="r")')
    what = f"exact {K} nearest of {queries:,} queries"
    row(what, "neighbours", "neighbours_gensim", "gensim most_similar (of 2%, scaled)")
    row(what, "neighbours", "neighbours_product", "bare float32 product")
    if "neighbours_faiss" in measured:
        row(what, "neighbours", "neighbours_faiss", "faiss IndexFlatIP")
    return "\n".join([*lines, "", f"*{words:,} words x {DIM}; {machine(threads)}*"])


def show(measured: Measured) -> str:
    """Seconds and peak memory."""
    seconds = measured["seconds"]
    text = f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"
    return f"{text}, {measured['megabytes']:,.0f} MB"


def machine(threads: int) -> str:
    """What it was measured on."""
    from threadpoolctl import threadpool_info

    cpu = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    blas = [
        f"{library['internal_api']} {library['version']} ({library.get('architecture', '')})"
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "gensim", "pandas"))
    return (
        f"{cpu[0].split(': ')[1]}, {threads} threads of {os.cpu_count()} cores, "
        f"{platform.system()}, Python {platform.python_version()}, {versions}, {', '.join(blas)}; "
        f"`python {' '.join(['benchmarks/word_space.py', *sys.argv[1:]])}`"
    )


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=int, default=200_000)
    parser.add_argument("--queries", type=int, default=QUERIES)
    parser.add_argument("--full", action="store_true", help=f"{FULL:,} words")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument(
        "--repeats", type=int, default=5, help="processes of row 2, and of row 3 up to 3"
    )
    parser.add_argument("--folder", type=Path, help="for the files (default: a temporary one)")
    parser.add_argument("--child", choices=list(CHILDREN), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(CHILDREN[arguments.child](arguments.folder)))
        return
    words, threads = FULL if arguments.full else arguments.words, arguments.threads
    with tempfile.TemporaryDirectory(prefix="word_space.", dir=arguments.folder) as temporary:
        folder = Path(temporary)
        write_glove_like(folder / "odd.txt", words)
        measured = {"text_to_store": measure("text_to_store", folder, threads)}
        (folder / "odd.txt").unlink()
        write_glove_like(folder / "plain.txt", words, plain=True)
        measured["text_to_gensim"] = measure("text_to_gensim", folder, threads)
        (folder / "plain.txt").unlink()
        write_queries(folder, arguments.queries)
        names = ["open_store", "open_gensim"]
        measured |= medians(names, folder, threads, arguments.repeats)
        names = ["neighbours_product", "neighbours", "neighbours_gensim"]
        names += ["neighbours_faiss"] if find_spec("faiss") else []
        measured |= medians(names, folder, threads, min(3, arguments.repeats))
        check_exact(folder)
    print(table(words, arguments.queries, threads, measured))


if __name__ == "__main__":
    main()
