"""Frames from a block of a pretrained speech model of transformers.

The paper's are `hidden_states[14]` of ``facebook/wav2vec2-large-960h-lv60-self``: the output of
the 14th of 24 blocks. The blocks above are neither loaded nor computed. The frames are those that
the whole model gives for an utterance alone, but for the order in which float32 sums are taken
(tested; relative error 1e-6): utterances are padded and computed together where the model has a
mask for it, and linear layers as `features.pointwise` says. With ``bfloat16``, matrix products
and convolutions are rounded to 8 bits of mantissa (torch's autocast): a relative error of 1e-2.

Layer N, counted from 1, is what transformers 5 calls `hidden_states[N]` in the whole model:

- the output of block N, without the encoder's closing layer norm (which `last_hidden_state` of a
  truncated model in the layer-norm style would have had applied);
- at the last block, too, for wav2vec2, HuBERT and WavLM. (transformers 4 applied the closing
  layer norm to the last of `hidden_states` in the layer-norm style; here it never is.)
- but the last layer of Whisper is the encoder's output, closing layer norm applied.

Models are in eval mode: no LayerDrop, no SpecAugment, no dropout.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from huggingface_hub import try_to_load_from_cache
from numpy.typing import NDArray

from emoword.corpora.audio import SAMPLE_RATE
from emoword.features import pointwise
from emoword.features.upstreams import HOP, Upstream
from emoword.io.errors import InputError
from emoword.io.torchaudio_python import torchaudio  # noqa: F401  before transformers: see there

import transformers  # isort: skip

# The models whose structure (encoder.layers, encoder.layer_norm) is known and tested, and what
# prepares their input.
EXTRACTORS = {
    "hubert": "Wav2Vec2FeatureExtractor",
    "wav2vec2": "Wav2Vec2FeatureExtractor",
    "wavlm": "Wav2Vec2FeatureExtractor",
    "whisper": "WhisperFeatureExtractor",
}
# The paper's model, by the last part of its name or folder, and what makes it that: a folder of
# that name with another model in it would be a wrong reproduction.
PAPERS = "wav2vec2-large-960h-lv60-self"
PAPERS_CONFIG = {
    "model_type": "wav2vec2",
    "num_hidden_layers": 24,
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
    "do_stable_layer_norm": True,
    "feat_extract_norm": "layer",
}
# Weights that a checkpoint may lack: SpecAugment's, and those of the classifier around Whisper.
UNUSED = ("masked_spec_embed", "projector.", "classifier.")


@dataclass(frozen=True)
class Compute:
    """Where a model is computed, and in float32 or bfloat16."""

    device: torch.device
    precision: str = "float32"

    def prepared(self, model: torch.nn.Module) -> torch.nn.Module:
        """The model on the device, its linear layers as they are computed fastest there."""
        torch.backends.cudnn.allow_tf32 = False  # float32 is float32 on a GPU, too
        if pointwise.pays(self.device, self.precision):
            pointwise.replace_linear(model)
        if self.precision == "bfloat16":  # autocast would round these weights for each batch anew
            for module in model.modules():
                if isinstance(module, torch.nn.Linear):
                    module.bfloat16()
        return model.to(self.device)

    def autocast(self) -> torch.autocast:
        """Products of matrices and convolutions in bfloat16, or everything in float32."""
        halved = self.precision == "bfloat16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=halved)


class Wav2Vec2:
    """wav2vec 2.0, HuBERT or WavLM: the waveform, normalised as the model's own extractor says."""

    def __init__(
        self, model: Any, extractor: Any, compute: Compute, origin: str, closing_norm: bool
    ) -> None:
        config = model.config
        if prod(config.conv_stride) != HOP:
            raise InputError(f"{origin}: a frame every {prod(config.conv_stride)} samples, not 320")
        if closing_norm and not config.do_stable_layer_norm:
            raise InputError(f"{origin}: has no closing layer norm; leave --closing-norm out")
        if config.do_stable_layer_norm and not closing_norm:
            # The closing layer norm. In the other style, layer_norm stands before the blocks.
            model.encoder.layer_norm = torch.nn.Identity()
        self.model = compute.prepared(model)
        self.extractor = extractor
        self.compute = compute
        self.convolutions = list(zip(config.conv_kernel, config.conv_stride, strict=True))
        # A group norm takes its statistics over all of the time, padding included.
        self.padded = config.feat_extract_norm == "layer"
        self.dim = int(config.hidden_size)
        self.settings: dict[str, str | int | float | bool | None] = {
            "normalised": bool(extractor.do_normalize),
            "closing_layer_norm": closing_norm,
        }

    def frame_count(self, samples: int) -> int:
        """What the convolutions leave."""
        for kernel, stride in self.convolutions:
            samples = (samples - kernel) // stride + 1
        return samples

    @torch.inference_mode()
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
        ).to(self.compute.device)
        mask = inputs.attention_mask if len(utterances) > 1 else None
        with self.compute.autocast():
            output = self.model(inputs.input_values, attention_mask=mask).last_hidden_state
        output = output.float().cpu().numpy()
        counts = [self.frame_count(len(samples)) for samples in utterances]
        return [output[i, :count] for i, count in enumerate(counts)]


class Whisper:
    """Whisper's encoder. It hears 30 s, padded with silence; the utterance's frames are kept.

    A longer utterance is cut into pieces of 30 s, each encoded (and scaled, by its loudest
    mel band) on its own, as the model knows no later positions.
    """

    def __init__(
        self, encoder: Any, extractor: Any, compute: Compute, origin: str, closing_norm: bool
    ) -> None:
        frames = encoder.config.max_source_positions
        if extractor.n_samples != frames * HOP or extractor.feature_size != encoder.num_mel_bins:
            raise InputError(
                f"{origin}: preprocessor_config.json ({extractor.n_samples} samples, "
                f"{extractor.feature_size} mels) does not fit config.json "
                f"({frames * HOP} samples, {encoder.num_mel_bins} mels)"
            )
        if not closing_norm:
            encoder.layer_norm = torch.nn.Identity()
        self.encoder = compute.prepared(encoder)
        self.extractor = extractor
        self.compute = compute
        self.longest = frames * HOP
        self.dim = int(encoder.config.d_model)
        self.settings: dict[str, str | int | float | bool | None] = {
            "closing_layer_norm": closing_norm
        }

    def frame_count(self, samples: int) -> int:
        """One for every 20 ms that have begun."""
        return -(-samples // HOP)

    @torch.inference_mode()
    def frames(self, utterances: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Frames of utterances: each [samples] at 16 kHz -> [frames, dim] float32.

        One after the other: each piece is 30 s long for the model already.
        """
        made = []
        for samples in utterances:
            starts = range(0, len(samples), self.longest)
            pieces = [self.piece(samples[i : i + self.longest]) for i in starts]
            made.append(np.concatenate(pieces))
        return made

    def piece(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Frames of at most 30 s."""
        inputs = self.extractor(samples, sampling_rate=SAMPLE_RATE, return_tensors="pt")
        features = inputs.input_features.to(self.compute.device)
        with self.compute.autocast():
            output = self.encoder(features).last_hidden_state[0]
        frames: NDArray[np.float32] = output[: self.frame_count(len(samples))].float().cpu().numpy()
        return frames


class NotFoundError(InputError):
    """A file of the model is not there, or the hub cannot be reached."""


def load(
    model: str,
    layer: int,
    device: torch.device,
    closing_norm: bool = False,
    precision: str = "float32",
) -> Upstream:
    """A model's block as an upstream, whatever its weights are kept in.

    Args:
        model: a folder (config.json, preprocessor_config.json, model.safetensors), else the name
            of a model on the Hugging Face hub. What lies in the hub's cache is taken from there
            without asking the network.
        layer: N of `hidden_states[N]`, from 1 to the number of blocks.
        device: where it is computed.
        closing_norm: apply the encoder's closing layer norm to the block's output, as it is to the
            last block's in `last_hidden_state` (Whisper's last layer always has it).
        precision: ``float32``, or ``bfloat16`` where it pays.

    Raises:
        InputError: no such model, one of another kind, without that layer or norm, or with weights
            missing.
    """
    transformers.utils.logging.set_verbosity_error()  # it would list each weight left out
    transformers.utils.logging.disable_progress_bar()
    compute = Compute(device, precision)
    if Path(model).is_dir():
        return load_from(model, layer, compute, closing_norm, local_files_only=True)
    with suppress(NotFoundError):  # in the cache, and no network is asked
        return load_from(model, layer, compute, closing_norm, local_files_only=True)
    try:
        return load_from(model, layer, compute, closing_norm, local_files_only=False)
    except NotFoundError as error:
        raise InputError(
            f"{model}: no such folder, and not to be had from the Hugging Face hub; fetch it "
            f"beforehand, where there is a network, with `hf download {model}` ({error})"
        ) from error


def load_from(
    model: str, layer: int, compute: Compute, closing_norm: bool, *, local_files_only: bool
) -> Upstream:
    """`load` from a folder or the cache, or from the hub."""

    def fetch(loader: Any, **options: Any) -> Any:
        try:
            return loader.from_pretrained(model, local_files_only=local_files_only, **options)
        except Exception as error:  # each format and version of a file fails with its own class
            error_class = NotFoundError if isinstance(error, OSError) else InputError
            reason = " ".join(str(error).split())
            raise error_class(f"{model}: {loader.__name__} cannot load it: {reason}") from error

    config = fetch(transformers.AutoConfig)
    kind = config.model_type
    if kind not in EXTRACTORS:
        raise InputError(f"{model}: is a model of type {kind!r}; known are {', '.join(EXTRACTORS)}")
    for key, value in PAPERS_CONFIG.items() if Path(model).name == PAPERS else ():
        if getattr(config, key, None) != value:
            told = f"{key} is {getattr(config, key, None)!r}, not {value!r}"
            raise InputError(f"{model}: is not the paper's model: {told}")
    size = "encoder_layers" if kind == "whisper" else "num_hidden_layers"
    layers = getattr(config, size)
    if not 1 <= layer <= layers:
        raise InputError(f"--layer {layer}: {model} has layers 1 to {layers}")
    extractor = fetch(transformers.AutoFeatureExtractor)
    if type(extractor).__name__ != EXTRACTORS[kind] or extractor.sampling_rate != SAMPLE_RATE:
        raise InputError(
            f"{model}: preprocessor_config.json is of {type(extractor).__name__} at "
            f"{extractor.sampling_rate} Hz; {kind} needs {EXTRACTORS[kind]} at {SAMPLE_RATE} Hz"
        )
    setattr(config, size, layer)  # no block above it is made, and its weights stay in the file
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
        closed = closing_norm or layer == layers
        upstream = Whisper(network.encoder, extractor, compute, model, closed)
    else:
        upstream = Wav2Vec2(network, extractor, compute, model, closing_norm)
    upstream.settings |= {
        "upstream": "transformers",
        "model": model,
        "revision": revision_of(model),
        "type": kind,
        "layer": layer,
        "layers": layers,
        "precision": compute.precision,
    }
    return upstream


def revision_of(model: str) -> str | None:
    """The commit on the hub that a loaded model lies in the cache from; None: it is a folder."""
    if Path(model).is_dir():
        return None
    path = try_to_load_from_cache(model, "config.json")  # .../snapshots/COMMIT/config.json
    return Path(path).parent.name if isinstance(path, str) else None
