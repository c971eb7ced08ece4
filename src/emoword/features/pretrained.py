"""Frames from a block of a pretrained speech model of transformers.

The paper's are `hidden_states[14]` of ``facebook/wav2vec2-large-960h-lv60-self``: the output of
the 14th of 24 blocks. The blocks above are neither loaded nor computed. The frames are those that
the whole model gives for an utterance alone, but for the order in which float32 sums are taken
(tested; relative error 1e-6): utterances are padded and computed together where the model has a
mask for it, and linear layers as `features.linear` says. With ``bfloat16``, matrix products
and convolutions are rounded to 8 bits of mantissa (torch's autocast): a relative error of 1e-2.

Layer N, counted from 1, is what transformers 5 calls `hidden_states[N]` in the whole model: the
output of block N, without the encoder's closing layer norm, also at the last block of wav2vec 2,
HuBERT and WavLM (transformers 4 applied it there). But the last layer of Whisper is the encoder's
output, closing layer norm applied.

Models are in eval mode: no LayerDrop, no SpecAugment, no dropout.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import try_to_load_from_cache
from numpy.typing import NDArray
from torch import Tensor

from emoword.corpora.audio import SAMPLE_RATE
from emoword.features import linear
from emoword.features.device import warn_of_slow_bfloat16
from emoword.features.upstreams import HOP, About, Upstream
from emoword.io.errors import InputError
from emoword.io.torchaudio_python import torchaudio  # noqa: F401  before transformers: see there
from emoword.settings import Transformers

import transformers  # isort: skip

# The models whose structure (encoder.layers, encoder.layer_norm) is known and tested, and what
# prepares their input.
EXTRACTORS = {
    "hubert": "Wav2Vec2FeatureExtractor",
    "wav2vec2": "Wav2Vec2FeatureExtractor",
    "wavlm": "Wav2Vec2FeatureExtractor",
    "whisper": "WhisperFeatureExtractor",
}
# The paper's model: a folder of its name with another model in it would be a wrong reproduction.
PAPERS = "wav2vec2-large-960h-lv60-self"
PAPERS_SHAPE = ("wav2vec2", 24, 1024)  # type, blocks, width
# Weights that a checkpoint may lack: SpecAugment's, and those of the classifier around Whisper.
UNUSED = ("masked_spec_embed", "projector.", "classifier.")


class Block:
    """The network up to a block, on a device, in float32 or bfloat16."""

    def __init__(
        self, network: Any, extractor: Any, made_by: Transformers, device: torch.device
    ) -> None:
        warn_of_slow_bfloat16(device, made_by.precision)
        torch.backends.cudnn.allow_tf32 = False  # float32 is float32 on a GPU, too
        if linear.pays(device, made_by.precision):
            linear.use_onednn(network)
        self.halved = made_by.precision == "bfloat16"
        if self.halved:  # autocast would round these weights for each batch again
            for module in network.modules():
                if isinstance(module, torch.nn.Linear):
                    module.bfloat16()
        self.network = network.to(device)
        self.extractor = extractor
        self.device = device
        self.dim = int(network.config.hidden_size)
        self.about: About = {}

    @torch.inference_mode()
    def output(self, given: Tensor, **options: Any) -> NDArray[np.float32]:
        """What the network's input gives: [batch, ...] -> [batch, frames, dim]."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.halved):
            states = self.network(given.to(self.device), **options).last_hidden_state
        made: NDArray[np.float32] = states.float().cpu().numpy()
        return made


class Wav2Vec2(Block):
    """wav2vec 2.0, HuBERT or WavLM: the waveform, normalised as the model's own extractor says."""

    def __init__(
        self, network: Any, extractor: Any, made_by: Transformers, device: torch.device
    ) -> None:
        config, closing_norm = network.config, made_by.closing_norm
        if (hop := prod(config.conv_stride)) != HOP:
            raise InputError(f"{made_by.model}: a frame every {hop} samples, not {HOP}")
        if closing_norm and not config.do_stable_layer_norm:
            raise InputError(f"{made_by.model}: has no closing layer norm; leave closing_norm out")
        if config.do_stable_layer_norm and not closing_norm:
            # The closing layer norm. In the other style, layer_norm stands before the blocks.
            network.encoder.layer_norm = torch.nn.Identity()
        super().__init__(network, extractor, made_by, device)
        self.convolutions = list(zip(config.conv_kernel, config.conv_stride, strict=True))
        # A group norm takes its statistics over all of the time, padding included.
        self.padded = config.feat_extract_norm == "layer"
        self.about |= {"normalised": bool(extractor.do_normalize), "closing_norm": closing_norm}

    def frame_count(self, samples: int) -> int:
        """What the convolutions leave."""
        for kernel, stride in self.convolutions:
            samples = (samples - kernel) // stride + 1
        return samples

    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances: each [samples] at 16 kHz -> [frames, dim] float32."""
        if len(utterances) > 1 and not self.padded:
            return [self.frames([samples])[0] for samples in utterances]
        inputs = self.extractor(
            list(utterances),
            sampling_rate=SAMPLE_RATE,
            return_tensors="pt",
            padding=True,
            return_attention_mask=True,
        )
        mask = inputs.attention_mask.to(self.device) if len(utterances) > 1 else None
        output = self.output(inputs.input_values, attention_mask=mask)
        counts = [self.frame_count(len(samples)) for samples in utterances]
        return [output[i, :count] for i, count in enumerate(counts)]


class Whisper(Block):
    """Whisper's encoder. It hears 30 s, padded with silence; the utterance's frames are kept.

    A longer utterance is cut into pieces of 30 s, each encoded (and scaled, by its loudest
    mel band) on its own, as the model knows no later positions.
    """

    def __init__(
        self, encoder: Any, extractor: Any, made_by: Transformers, device: torch.device, last: int
    ) -> None:
        heard, mels = encoder.config.max_source_positions * HOP, encoder.num_mel_bins
        if extractor.n_samples != heard or extractor.feature_size != mels:
            raise InputError(
                f"{made_by.model}: preprocessor_config.json ({extractor.n_samples} samples, "
                f"{extractor.feature_size} mels) does not fit config.json ({heard} samples, "
                f"{mels} mels)"
            )
        closed = made_by.closing_norm or made_by.layer == last
        if not closed:
            encoder.layer_norm = torch.nn.Identity()
        super().__init__(encoder, extractor, made_by, device)
        self.longest = heard
        self.about |= {"closing_norm": closed}

    def frame_count(self, samples: int) -> int:
        """One for every 20 ms that have begun."""
        return -(-samples // HOP)

    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances, one after the other: each [samples] -> [frames, dim] float32."""
        made = []
        for samples in utterances:
            pieces = []
            for first in range(0, len(samples), self.longest):
                piece = samples[first : first + self.longest]
                inputs = self.extractor(piece, sampling_rate=SAMPLE_RATE, return_tensors="pt")
                output = self.output(inputs.input_features)[0]
                pieces.append(output[: self.frame_count(len(piece))])
            made.append(np.concatenate(pieces))
        return made


class NotFoundError(InputError):
    """A file of the model is not there, or the hub cannot be reached."""


def load(made_by: Transformers, device: torch.device) -> Upstream:
    """A model's block as an upstream, whatever its weights are kept in.

    Args:
        made_by: ``model`` is a folder (config.json, preprocessor_config.json, model.safetensors),
            else the name of a model on the Hugging Face hub, which is not asked for what lies in
            its cache. ``closing_norm`` applies the encoder's closing layer norm to the block's
            output, as it is to the last block's in `last_hidden_state` (Whisper's last layer
            always has it).
        device: where it is computed.

    Raises:
        InputError: no such model, one of another kind, without that layer or norm, or with weights
            missing.
    """
    transformers.utils.logging.set_verbosity_error()  # it would list each weight left out
    transformers.utils.logging.disable_progress_bar()
    model = made_by.model
    if Path(model).is_dir():
        return load_from(made_by, device, local_files_only=True)
    with suppress(NotFoundError):
        return load_from(made_by, device, local_files_only=True)
    try:
        return load_from(made_by, device, local_files_only=False)
    except NotFoundError as error:
        raise InputError(
            f"{model}: no such folder, and not to be had from the Hugging Face hub; fetch it "
            f"beforehand, where there is a network, with `hf download {model}` ({error})"
        ) from error


def load_from(made_by: Transformers, device: torch.device, *, local_files_only: bool) -> Upstream:
    """`load` from a folder or the cache, or from the hub."""
    model = made_by.model

    def fetch(loader: Any, **options: Any) -> Any:
        try:
            # no code that comes with a model is run, and nobody is asked to let it
            options |= {"local_files_only": local_files_only, "trust_remote_code": False}
            return loader.from_pretrained(model, **options)
        except Exception as error:  # each format and version of a file fails with its own class
            error_class = NotFoundError if isinstance(error, OSError) else InputError
            reason = " ".join(str(error).split())
            raise error_class(f"{model}: {loader.__name__} cannot load it: {reason}") from error

    config, extractor = configured(made_by, fetch)
    kind, size = config.model_type, size_key(config)
    layers = getattr(config, size)
    setattr(config, size, made_by.layer)  # no block above it is made; its weights stay in the file
    config.add_adapter = False  # nor what may stand above the blocks
    # Whisper's class that has an encoder and no decoder
    loader = (
        transformers.WhisperForAudioClassification if kind == "whisper" else transformers.AutoModel
    )
    network, report = fetch(loader, config=config, output_loading_info=True)
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(UNUSED))
    if missing:  # they would be random
        raise InputError(f"{model}: lacks {len(missing)} of its weights, such as {missing[0]}")
    network.eval().float()
    upstream: Wav2Vec2 | Whisper
    if kind == "whisper":
        upstream = Whisper(network.encoder, extractor, made_by, device, layers)
    else:
        upstream = Wav2Vec2(network, extractor, made_by, device)
    # of a name on the hub: .../snapshots/COMMIT/config.json
    path = None if Path(model).is_dir() else try_to_load_from_cache(model, "config.json")
    revision = Path(path).parent.name if isinstance(path, str) else None
    upstream.about |= {"revision": revision, "type": kind, "layers": layers}
    return upstream


def size_key(config: Any) -> str:
    """What a model's configuration calls its number of blocks."""
    return "encoder_layers" if config.model_type == "whisper" else "num_hidden_layers"


def configured(made_by: Transformers, fetch: Callable[[Any], Any]) -> tuple[Any, Any]:
    """A model's configuration, and what prepares its input, both checked.

    Raises:
        InputError: it is of another kind, or has too few layers.
    """
    model, config = made_by.model, fetch(transformers.AutoConfig)
    kind = config.model_type
    if kind not in EXTRACTORS:
        raise InputError(f"{model}: is a model of type {kind!r}; known are {', '.join(EXTRACTORS)}")
    layers = getattr(config, size_key(config))
    shape = (kind, layers, config.hidden_size)
    if Path(model).name == PAPERS and shape != PAPERS_SHAPE:
        raise InputError(f"{model}: is {shape}, not the paper's model, {PAPERS_SHAPE}")
    if made_by.layer > layers:
        raise InputError(f"layer {made_by.layer}: {model} has layers 1 to {layers}")
    extractor = fetch(transformers.AutoFeatureExtractor)
    if type(extractor).__name__ != EXTRACTORS[kind] or extractor.sampling_rate != SAMPLE_RATE:
        raise InputError(
            f"{model}: preprocessor_config.json is of {type(extractor).__name__} at "
            f"{extractor.sampling_rate} Hz; {kind} needs {EXTRACTORS[kind]} at {SAMPLE_RATE} Hz"
        )
    return config, extractor
