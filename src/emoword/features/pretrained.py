"""Frames from a block of a pretrained speech model of transformers.

The paper's are `hidden_states[14]` of ``facebook/wav2vec2-large-960h-lv60-self``: the output of
the 14th of 24 blocks. The blocks above are neither loaded nor computed. The frames are those that
the whole model gives for an utterance alone, but for the order of float32 sums (tested; relative
error 1e-6): utterances are padded and computed together where the model has a mask for it, and on
AMD's processors linear layers by oneDNN. With ``bfloat16``, matrix products and convolutions are
rounded to 8 bits of mantissa (torch's autocast): a relative error of 1e-2.

Layer N, from 1, is `hidden_states[N]` of transformers 5: the output of block N, without the
encoder's closing layer norm, also at the last block of wav2vec 2, HuBERT and WavLM (transformers 4
applied it there). But the last layer of Whisper is the encoder's output, that norm applied.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import torch
from huggingface_hub import try_to_load_from_cache
from numpy.typing import NDArray
from torch import Tensor, nn

from emoword.corpora.audio import SAMPLE_RATE
from emoword.features.device import processor, warn_of_slow_bfloat16
from emoword.features.upstreams import HOP, About, Upstream
from emoword.io.errors import InputError
from emoword.io.torchaudio_python import torchaudio  # noqa: F401  before transformers: see there
from emoword.settings import Transformers

import transformers  # isort: skip

# The models whose structure (encoder.layers, encoder.layer_norm) is known and tested, and what
# prepares their input.
EXTRACTORS = {
    **dict.fromkeys(("hubert", "wav2vec2", "wavlm"), "Wav2Vec2FeatureExtractor"),
    "whisper": "WhisperFeatureExtractor",
}
# The paper's model: a folder of its name with another model in it would be a wrong reproduction.
PAPERS = "wav2vec2-large-960h-lv60-self"
PAPERS_SHAPE = ("wav2vec2", 24, 1024)  # type, blocks, width
# Weights that a checkpoint may lack: SpecAugment's, and those of the classifier around Whisper.
UNUSED = ("masked_spec_embed", "projector.", "classifier.")


class Block:
    """The network up to a block, on a device, in float32 or bfloat16."""

    about: About

    def __init__(self, network: Any, extractor: Any, precision: str, device: torch.device) -> None:
        warn_of_slow_bfloat16(device, precision)
        torch.backends.cudnn.allow_tf32 = False  # float32 is float32 on a GPU, too
        if onednn_pays(device, precision):
            use_onednn(network)
        self.halved = precision == "bfloat16"
        if self.halved:  # autocast would round these weights for each batch again
            for module in network.modules():
                if isinstance(module, nn.Linear):
                    module.bfloat16()
        self.network, self.extractor, self.device = network.to(device), extractor, device
        self.dim = int(network.config.hidden_size)

    @torch.inference_mode()
    def output(self, given: Tensor, **options: Any) -> NDArray[np.float32]:
        """What the network's input gives: [batch, ...] -> [batch, frames, dim]."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.halved):
            states = self.network(given.to(self.device), **options).last_hidden_state
        made: NDArray[np.float32] = states.float().cpu().numpy()
        return made


class Wav2Vec2(Block):
    """wav2vec 2.0, HuBERT or WavLM: the waveform, normalised as the model's own extractor says."""

    def frame_count(self, samples: int) -> int:
        """What the convolutions leave."""
        config = self.network.config
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            samples = (samples - kernel) // stride + 1
        return samples

    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances: each [samples] at 16 kHz -> [frames, dim] float32."""
        # a group norm takes its statistics over all of the time, padding included
        if len(utterances) > 1 and self.network.config.feat_extract_norm == "group":
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

    def frame_count(self, samples: int) -> int:
        """One for every 20 ms that have begun."""
        return -(-samples // HOP)

    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances, one after the other: each [samples] -> [frames, dim] float32."""
        made = []
        for samples in utterances:
            pieces = []
            for first in range(0, len(samples), self.extractor.n_samples):
                piece = samples[first : first + self.extractor.n_samples]
                inputs = self.extractor(piece, sampling_rate=SAMPLE_RATE, return_tensors="pt")
                output = self.output(inputs.input_features)[0]
                pieces.append(output[: self.frame_count(len(piece))])
            made.append(np.concatenate(pieces))
        return made


def onednn_pays(device: torch.device, precision: str) -> bool:
    """Whether linear layers are faster by oneDNN than by MKL, to which torch hands them.

    On AMD's processors, in float32: MKL reaches less than half of it (benchmarks/README.md). It
    depends on the vendor alone, so on one machine it is always so. Sums are in another order.
    """
    there = torch.backends.mkldnn.is_available() and "AuthenticAMD" in processor()
    return there and device.type == "cpu" and precision == "float32"


def use_onednn(network: nn.Module) -> None:
    """Let oneDNN compute the linear layers of a network that is for inference alone."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.forward = MethodType(by_onednn, module)  # type: ignore[method-assign]


def by_onednn(linear: nn.Linear, x: Tensor) -> Tensor:
    """What ``linear(x)`` gives, by the operator that torch's compiler chooses.

    ``none``: no function is applied after it.
    """
    made: Tensor = torch.ops.mkldnn._linear_pointwise(x, linear.weight, linear.bias, "none", [], "")
    return made


class NotFoundError(InputError):
    """A file of the model is not there, or the hub cannot be reached."""


def load(made_by: Transformers, device: torch.device) -> Upstream:
    """A model's block as an upstream, whatever its weights are kept in.

    ``model`` is a folder (config.json, preprocessor_config.json, model.safetensors), else a name on
    the Hugging Face hub, which is not asked for what lies in its cache. ``closing_norm`` applies
    the encoder's closing layer norm to the block's output, as `last_hidden_state` has it.

    Raises:
        InputError: no such model, one of another kind, without that layer or norm, or with weights
            missing.
    """
    transformers.utils.logging.set_verbosity_error()  # it would list each weight left out
    transformers.utils.logging.disable_progress_bar()
    model = made_by.model
    if Path(model).is_dir():
        return load_from(made_by, device, local_files_only=True)
    try:
        with suppress(NotFoundError):
            return load_from(made_by, device, local_files_only=True)
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
    whisper, layers = config.model_type == "whisper", config.num_hidden_layers
    config.num_hidden_layers = made_by.layer  # the weights of those above stay in the file
    config.add_adapter = False  # nor is made what may stand above the blocks
    # Whisper's class that has an encoder and no decoder
    loader = transformers.WhisperForAudioClassification if whisper else transformers.AutoModel
    network, report = fetch(loader, config=config, output_loading_info=True)
    missing = sorted(name for name in report["missing_keys"] if not name.startswith(UNUSED))
    if missing:  # they would be random
        raise InputError(f"{model}: lacks {len(missing)} of its weights, such as {missing[0]}")
    network.eval().float()
    has_norm = whisper or config.do_stable_layer_norm  # in the other style it precedes the blocks
    closed = made_by.closing_norm or (whisper and made_by.layer == layers)
    if closed and not has_norm:
        raise InputError(f"{model}: has no closing layer norm; leave closing_norm out")
    if has_norm and not closed:
        network.encoder.layer_norm = nn.Identity()
    kind, hears = (Whisper, network.encoder) if whisper else (Wav2Vec2, network)
    upstream: Wav2Vec2 | Whisper = kind(hears, extractor, made_by.precision, device)
    # of a name on the hub: .../snapshots/COMMIT/config.json
    path = None if Path(model).is_dir() else try_to_load_from_cache(model, "config.json")
    revision = Path(path).parent.name if isinstance(path, str) else None
    upstream.about = {} if whisper else {"normalised": bool(extractor.do_normalize)}
    upstream.about |= {"closing_norm": closed, "revision": revision}
    upstream.about |= {"type": config.model_type, "layers": layers}
    return upstream


def configured(made_by: Transformers, fetch: Callable[[Any], Any]) -> tuple[Any, Any]:
    """A model's configuration, and what prepares its input, both checked."""
    model, config = made_by.model, fetch(transformers.AutoConfig)
    kind = config.model_type
    if kind not in EXTRACTORS:
        raise InputError(f"{model}: is a model of type {kind!r}; known are {', '.join(EXTRACTORS)}")
    layers = config.num_hidden_layers
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
    if kind != "whisper":
        if (hop := prod(config.conv_stride)) != HOP:
            raise InputError(f"{model}: a frame every {hop} samples, not {HOP}")
        return config, extractor
    wanted = f"{config.max_source_positions * HOP} samples, {config.num_mel_bins} mels"
    found = f"{extractor.n_samples} samples, {extractor.feature_size} mels"
    if found != wanted:
        raise InputError(
            f"{model}: preprocessor_config.json ({found}) does not fit config.json ({wanted})"
        )
    return config, extractor
