"""Write synthetic speech in IEMOCAP's layout, of its size and with utterances as long as its.

The demo's corpus (`emoword demo`) with 7,300 utterances, of which some 5,500 have one of the four
classes, as 5,531 of IEMOCAP's have. Each wav is repeated or cut to a length from `seconds`.

    python benchmarks/iemocap_like.py /tmp/iemocap      # 1.1 GB, two minutes
    ./run -n --config dataset=iemocap iemocap_root=/tmp/iemocap
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from emoword.demo.corpus import demo

UTTERANCES = 7300
IN_CLASSES = 5531


def seconds(count: int, seed: int = 0) -> NDArray[np.float64]:
    """Lengths in seconds as IEMOCAP's: log-normal, 0.6 to 34, mean 4.4, median 3.7."""
    return np.random.default_rng(seed).lognormal(1.3, 0.62, count).clip(0.6, 34)


def stretch(wav: Path, length: float) -> None:
    """Repeat or cut the wav to so many seconds."""
    samples, rate = soundfile.read(wav)
    soundfile.write(wav, np.resize(samples, round(length * rate)), rate, subtype="PCM_16")


def main() -> None:
    """Write the corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("out", type=Path)
    parser.add_argument("--utterances", type=int, default=UTTERANCES)
    arguments = parser.parse_args()
    demo(out=arguments.out, utterances=arguments.utterances)
    wavs = sorted(arguments.out.rglob("*.wav"))
    for wav, length in zip(wavs, seconds(len(wavs)), strict=True):
        stretch(wav, length)


if __name__ == "__main__":
    main()
