"""A model that predicts: recordings -> vectors, labels, words.

It is made of the stages' own code: audio is read as features are, frames are made by the upstream
and rounded as they are stored, and the network is the one of training. What it gives for an
utterance is what predictions.npy holds (tested to 1e-5).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from huggingface_hub import ModelHubMixin, snapshot_download
from numpy.typing import NDArray

from emoword.corpora import audio
from emoword.features.batches import FEWEST_FRAMES, ahead, batches
from emoword.features.device import pick_device
from emoword.features.extract import SECONDS_ELSEWHERE, SECONDS_TOGETHER, computed, stored
from emoword.features.frames import tensor_of
from emoword.features.upstreams import build
from emoword.inference import sound, words
from emoword.inference.sound import Piece, in_groups
from emoword.inference.trained import Trained, read_trained
from emoword.io.errors import InputError
from emoword.spaces.geometry import cosine
from emoword.spaces.word_space import WordSpace
from emoword.training.loop import Examples, predict
from emoword.training.network import frames_needed, network_of

# Seconds that are predicted at once: memory grows with them, of a transformer by their square.
LONGEST = 60.0
TOGETHER = 64  # recordings that are sorted by length and computed together
Array = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model makes of a recording.

    Attributes:
        vectors: what each run gives, float32 [runs, dim]; of a model that predicts classes
            (the baseline), its scores [runs, classes].
        classes: what ``label`` may be.
        class_vectors: their word vectors, float32 [classes, dim]; None of class scores.
        space: the words that the vector is among; None of class scores.
    """

    vectors: NDArray[np.float32]
    classes: tuple[str, ...]
    class_vectors: NDArray[np.float32] | None
    space: WordSpace | None

    @property
    def vector(self) -> NDArray[np.float32]:
        """The mean over the runs, float32 [dim]."""
        mean: NDArray[np.float32] = self.vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
        return mean

    @property
    def label(self) -> str:
        """The class whose word vector has the largest cosine similarity (paper, equation 5)."""
        return self.classes[int(self._scores(self.vector[None]).argmax())]

    @property
    def agreement(self) -> float:
        """The share of the runs that decide on ``label`` by themselves."""
        chosen = self._scores(self.vectors).argmax(axis=1)
        return float((chosen == self.classes.index(self.label)).mean())

    @property
    def spread(self) -> float:
        """How far the runs are apart: 1 less their mean cosine similarity with ``vector``."""
        return float(1 - cosine(self.vectors, self.vector[None]).mean())

    @property
    def scores(self) -> dict[str, float]:
        """Class -> cosine similarity with its word vector, or the score of a class model."""
        return dict(zip(self.classes, self._scores(self.vector[None])[0].tolist(), strict=True))

    def nearest(self, k: int = 5) -> list[tuple[str, float]]:
        """The ``k`` nearest words of the whole space, with their cosine similarities.

        Raises:
            InputError: the model predicts classes.
        """
        return words.near(self._words(), self.vector, k)

    def similarity(self, word: str) -> float:
        """Cosine similarity with any word of the space.

        Raises:
            InputError: the space lacks it, or the model predicts classes.
        """
        return float(cosine(self.vector, words.vectors_of(self._words(), [word])[0]))

    def _scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        if self.class_vectors is None:
            return vectors.astype(np.float64)
        return cosine(vectors[:, None], self.class_vectors)

    def _words(self) -> WordSpace:
        if self.space is None:
            raise InputError("this model predicts classes: its output lies among no words")
        return self.space


class Model(
    ModelHubMixin,
    library_name="emoword",
    tags=["speech-emotion-recognition"],
    pipeline_tag="audio-classification",
):
    """Trained runs with their upstream and words; `emoword.load` makes one."""

    def __init__(self, trained: Trained, device: str = "auto") -> None:
        self.trained = trained
        self.device = pick_device(device)
        self.upstream = build(trained.upstream, self.device)
        self.networks = []
        for run, weights in trained.weights.items():
            of = f"{trained.name}: the weights of {run}"
            network = network_of(trained.made_by, weights, self.upstream.dim, of)
            self.networks.append(network.to(self.device))
        self.fewest_frames = max(FEWEST_FRAMES, frames_needed(trained.made_by.network))
        self.space = space = trained.space
        self.class_vectors = None if space is None else space.vectors_of(list(trained.classes))

    @property
    def classes(self) -> tuple[str, ...]:
        """What a prediction's label may be."""
        return self.trained.classes

    def __repr__(self) -> str:
        return f"<emoword model {self.trained.name}: {', '.join(self.classes)}>"

    @overload
    def predict(  # type: ignore[overload-overlap]  # a str is a sequence of str, too
        self, given: str | Path | Array, rate: int | None = None
    ) -> Prediction: ...
    @overload
    def predict(
        self, given: Sequence[str | Path | Array], rate: int | None = None
    ) -> list[Prediction]: ...
    def predict(
        self, given: str | Path | Array | Sequence[str | Path | Array], rate: int | None = None
    ) -> Prediction | list[Prediction]:
        """Predict one recording, or a list of them.

        A recording of more than 60 s is predicted in equal parts, whose vectors are averaged.

        Args:
            given: a path, or samples: float [samples] or [samples, channels], full scale is 1.
            rate: of samples, in Hz.

        Raises:
            InputError: names the recording that cannot be used.
        """
        if isinstance(given, str | Path | np.ndarray):
            return self.predict([given], rate)[0]
        heard: list[Path | Piece] = []
        for i, each in enumerate(given):
            if isinstance(each, str | Path):
                heard.append(Path(each))
            elif rate is None:
                raise InputError("samples need their rate in Hz: predict(samples, rate)")
            else:
                heard.append(sound.given(each, rate, f"array {i}"))
        made: list[Prediction] = []
        for prediction in self.each(heard):
            if isinstance(prediction, InputError):
                raise prediction
            made.append(prediction)
        return made

    def each(self, given: Iterable[Path | Piece]) -> Iterator[Prediction | InputError]:
        """Predict recordings while the next are read; a bad one gives its error, in its place."""
        for some in in_groups(ahead(self._heard, given, TOGETHER), TOGETHER):
            yield from self._told(some)

    def windows(
        self, path: str | Path, window: float, hop: float
    ) -> Iterator[tuple[Piece, Prediction | None]]:
        """Predict stretches of ``window`` seconds, one every ``hop``; None where it is silent.

        A rest too short for the network is left out.

        Raises:
            InputError: the recording cannot be used, or a window is too short for the network.
        """
        found = False
        for some in in_groups(sound.windows(Path(path), window, hop), TOGETHER // 4):
            usable = [piece for piece in some if self._is_long_enough(piece)]
            found = found or bool(usable)
            loud = [piece for piece in usable if not piece.silent]
            outputs = iter(self.outputs(loud))
            for piece in usable:
                yield piece, None if piece.silent else self._prediction(next(outputs))
        if not found:
            raise InputError(f"{path}: too short, or its windows are; at least {self._needs}")

    def outputs(self, heard: Sequence[Piece]) -> NDArray[np.float32]:
        """What each run gives for each piece: float32 [pieces, runs, outputs]."""
        if not heard:
            return np.zeros((0, len(self.networks), 1), np.float32)
        seconds = SECONDS_TOGETHER.get(self.device.type, SECONDS_ELSEWHERE)
        dtype, size = self.trained.upstream.dtype, self.trained.made_by.training.batch_size
        order = np.argsort([-len(piece.samples) for piece in heard], kind="stable")
        longest_first = [heard[i] for i in order]
        frames = []
        for span in batches([len(piece.samples) for piece in longest_first], seconds):
            batch = longest_first[span]
            made = computed([piece.samples for piece in batch], self.upstream)
            for piece, own in zip(batch, made, strict=True):
                frames.append(tensor_of(stored(piece.name, own, dtype), dtype))
        frames = [frames[i] for i in np.argsort(order)]  # in the order that was given
        examples = Examples([piece.name for piece in heard], frames, torch.zeros(len(heard)))
        return np.stack([predict(own, examples, size) for own in self.networks], axis=1)

    def _heard(self, given: Path | Piece) -> Piece | Path | InputError:
        """A recording read and checked; a long one is left to be read in parts."""
        try:
            if isinstance(given, Piece):
                piece = given
            elif sound.seconds(given) > LONGEST:
                return given
            else:  # read whole, as training does
                samples = audio.read(given)
                piece = Piece(str(given), 0.0, len(samples) / audio.SAMPLE_RATE, samples)
        except InputError as error:
            return error
        if self._is_long_enough(piece):
            return piece
        return InputError(f"{piece.name}: too short, {piece.end:.3f} s; at least {self._needs}")

    def _told(
        self, found: Sequence[Piece | Path | Prediction | InputError]
    ) -> list[Prediction | InputError]:
        """What is predicted; the short ones at once, or one by one where something is wrong."""
        made = [self._long(each) if isinstance(each, Path) else each for each in found]
        try:
            outputs = iter(self.outputs([each for each in made if isinstance(each, Piece)]))
        except InputError as error:
            return [error] if len(made) == 1 else [self._told([each])[0] for each in made]
        return [self._prediction(next(outputs)) if isinstance(e, Piece) else e for e in made]

    def _long(self, path: Path) -> Prediction | InputError:
        """The mean over the parts of a long recording, of equal length, that are not silent."""
        length = sound.seconds(path)
        each = length / math.ceil(length / LONGEST)
        try:
            made = [
                self.outputs([piece])[0]
                for piece in sound.windows(path, each, each)
                if not piece.silent and self._is_long_enough(piece)
            ]
        except InputError as error:
            return error
        if not made:
            return InputError(f"{path}: silent throughout")
        return self._prediction(np.stack(made).mean(axis=0, dtype=np.float64).astype(np.float32))

    def _prediction(self, vectors: NDArray[np.float32]) -> Prediction:
        return Prediction(vectors, self.classes, self.class_vectors, self.space)

    @property
    def _needs(self) -> str:
        return f"{self.fewest_frames} frames, {self.fewest_frames / 50:.2f} s"

    def _is_long_enough(self, piece: Piece) -> bool:
        return self.upstream.frame_count(len(piece.samples)) >= self.fewest_frames

    def _save_pretrained(self, save_directory: Path) -> None:
        """For huggingface_hub's ``save_pretrained`` and ``push_to_hub``."""
        from emoword.inference.export import write_model

        write_model(self.trained, save_directory)

    @classmethod
    def _from_pretrained(cls, *, model_id: str, device: str = "auto", **options: Any) -> "Model":
        """For huggingface_hub's ``from_pretrained``: a folder, or a name on the hub."""
        folder = Path(model_id)
        if not folder.is_dir():
            folder = Path(snapshot_download(model_id, **options))
        return cls(read_trained([folder]), device)


def load(where: str | Path | Sequence[str | Path], device: str = "auto") -> Model:
    """Load a model: one run, several (their mean), an exported folder, or a name on the hub.

    Raises:
        InputError: there is no model, or it cannot be used.
    """
    places = [Path(place) for place in ([where] if isinstance(where, str | Path) else where)]
    name = str(places[0]) if len(places) == 1 else ""
    if name.count("/") == 1 and not name.startswith((".", "/", "~")) and not places[0].exists():
        try:
            return Model.from_pretrained(name, device=device)
        except (OSError, ValueError) as error:
            said = " ".join(str(error).split())
            raise InputError(
                f"{name}: no such folder, and not to be had from the hub: {said}"
            ) from None
    return Model(read_trained(places), device)
