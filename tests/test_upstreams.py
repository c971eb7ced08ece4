"""Spectra against their definition; a model's truncated blocks against the whole model."""

import functools
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.fft
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from emoword import settings
from emoword.features import pretrained
from emoword.features.upstreams import MOST_MELS, LogMel, Mfcc, Upstream, build
from emoword.io.errors import InputError
from emoword.settings import Transformers

import transformers  # isort: skip  after emoword.io.torchaudio_python, by way of emoword.features.pretrained

CPU = torch.device("cpu")
LAYERS = 3


def noise(samples: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


def one(upstream: Upstream, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The frames of one utterance."""
    (frames,) = upstream.frames([samples])
    return frames


def log_mel_by_definition(samples: NDArray[np.float32], mels: int) -> NDArray[np.float64]:
    """Textbook, float64: 400 samples of Hann around each 320th sample, HTK's triangles."""
    padded = np.pad(samples.astype(np.float64), 200)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), mels + 2) / 2595) - 1)
    frequencies = np.arange(513) * 16000 / 1024
    rows = []
    for centre in range(0, len(samples) + 1, 320):
        piece = padded[centre : centre + 400]
        power = np.abs(np.fft.rfft(piece * window[: len(piece)], 1024)) ** 2
        bands = [
            np.interp(frequencies, edges[i : i + 3], [0, 1, 0], left=0, right=0) @ power
            for i in range(mels)
        ]
        rows.append(np.log(np.maximum(bands, 1e-10)))
    return np.array(rows)


@pytest.mark.parametrize("mels", [26, 80])
def test_logmel_is_its_definition_and_silence_its_floor(mels: int) -> None:
    samples = np.concatenate([noise(3333), np.zeros(2000, np.float32)])
    frames = one(LogMel(mels), samples)
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames, log_mel_by_definition(samples, mels), atol=2e-3)
    np.testing.assert_allclose(frames[12:], np.log(1e-10), rtol=1e-6)


def test_mfcc_is_the_cosine_transform_of_logmel() -> None:
    samples = noise(5000)
    expected = scipy.fft.dct(log_mel_by_definition(samples, 80), type=2, norm="ortho")[:, :40]
    np.testing.assert_allclose(one(Mfcc(), samples), expected, atol=5e-3)


@hypothesis_settings(max_examples=20)
@given(samples=st.integers(1, 3000))
def test_frame_count_of_spectra(samples: int) -> None:
    for upstream in (LogMel(40), Mfcc(40)):
        frames = one(upstream, noise(samples))
        assert frames.shape == (upstream.frame_count(samples), 40)


def test_most_mels_is_the_most_without_an_empty_band() -> None:
    edges = 700 * (
        10 ** (np.linspace(0, 2595 * np.log10(1 + 8000 / 700), MOST_MELS + 2) / 2595) - 1
    )
    frequencies = np.arange(513) * 16000 / 1024
    for low, high in zip(edges[:-2], edges[2:], strict=True):
        assert ((frequencies > low) & (frequencies < high)).any()
    for mels in (0, MOST_MELS + 1):
        with pytest.raises(InputError, match=f"mels {mels}"):
            LogMel(mels)
    with pytest.raises(InputError, match="mels 39"):
        Mfcc(39)


# --- models of transformers ---

FAMILIES = {
    "wav2vec2": transformers.Wav2Vec2Model,
    "hubert": transformers.HubertModel,
    "wavlm": transformers.WavLMModel,
    "whisper": transformers.WhisperModel,
}


def config_of(family: str, **options: Any) -> Any:
    """As small as it goes; LayerDrop and SpecAugment are on, as in the published models."""
    if family == "whisper":
        return transformers.WhisperConfig(
            d_model=16,
            encoder_layers=LAYERS,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            max_source_positions=100,  # 2 s instead of 30 s
            encoder_layerdrop=0.5,
        )
    return FAMILIES[family].config_class(
        hidden_size=32,  # 16 a group: oneDNN miscounts fewer in bfloat16 on processors with AMX
        num_hidden_layers=LAYERS,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
        layerdrop=0.5,
        mask_time_prob=0.5,
        vocab_size=20,
        **options,
    )


def scramble(model: torch.nn.Module) -> None:
    """Random values also in norms and biases, so that none of them is without effect."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))


def save(model: Any, family: str, folder: Path) -> Path:
    scramble(model)
    model.save_pretrained(folder)
    if family == "whisper":
        transformers.WhisperFeatureExtractor(chunk_length=2).save_pretrained(folder)
    else:
        transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return folder


@functools.cache
def load(folder: Path | str, layer: int, **options: Any) -> Upstream:
    return pretrained.load(Transformers(model=str(folder), layer=layer, **options), CPU)


STYLES = {
    "wav2vec2": {"do_stable_layer_norm": False, "feat_extract_norm": "group"},
    "wav2vec2-stable": {"do_stable_layer_norm": True, "feat_extract_norm": "layer"},
    "hubert": {"do_stable_layer_norm": False, "feat_extract_norm": "group"},
    "hubert-stable": {"do_stable_layer_norm": True, "feat_extract_norm": "layer"},
    "wavlm": {"do_stable_layer_norm": False, "feat_extract_norm": "group"},
    "wavlm-stable": {"do_stable_layer_norm": True, "feat_extract_norm": "layer"},
    "whisper": {},
}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("checkpoints")
    made = {}
    for name, options in STYLES.items():
        family = name.removesuffix("-stable")
        model = FAMILIES[family](config_of(family, **options))
        made[name] = save(model, family, folder / name)
    return made


def hidden_states(folder: Path, samples: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Of the whole model, as transformers' documentation shows."""
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    inputs = extractor(samples, sampling_rate=16000, return_tensors="pt")
    with torch.inference_mode():
        if "input_features" in inputs:
            states = model.encoder(inputs.input_features, output_hidden_states=True).hidden_states
        else:
            states = model(inputs.input_values, output_hidden_states=True).hidden_states
    return [state[0].numpy() for state in states]


def same(got: NDArray[np.float32], wanted: NDArray[np.float32]) -> None:
    """Equal but for the order of float32 sums."""
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max())


@pytest.mark.parametrize("name", STYLES)
def test_truncated_is_the_whole_models_hidden_state(
    checkpoints: dict[str, Path], name: str
) -> None:
    samples = noise(12345)
    whole = hidden_states(checkpoints[name], samples)
    assert len(whole) == LAYERS + 1
    for layer in range(1, LAYERS + 1):
        upstream: Any = load(checkpoints[name], layer)
        network = upstream.network if name == "whisper" else upstream.network.encoder
        assert len(network.layers) == layer  # the blocks above are not there
        assert not network.training
        frames = one(upstream, samples)
        assert frames.dtype == np.float32
        assert len(frames) == upstream.frame_count(len(samples))
        assert frames.shape[1] == upstream.dim == (16 if name == "whisper" else 32)
        # ceil(12345 / 320) of Whisper's 100
        assert len(frames) == (39 if name == "whisper" else len(whole[layer]))
        same(frames, whole[layer][: len(frames)])


@pytest.mark.parametrize("name", STYLES)
@hypothesis_settings(max_examples=8)
@given(lengths=st.lists(st.integers(400, 9000), min_size=1, max_size=5))
def test_together_is_as_alone(checkpoints: dict[str, Path], name: str, lengths: list[int]) -> None:
    upstream = load(checkpoints[name], 2)
    utterances = [noise(n, seed) * (seed + 1) + 0.1 * seed for seed, n in enumerate(lengths)]
    for frames, samples in zip(upstream.frames(utterances), utterances, strict=True):
        assert len(frames) == upstream.frame_count(len(samples))
        same(frames, one(upstream, samples))
    assert upstream.frame_count(399) < 1 or name == "whisper"


@pytest.mark.parametrize("name", STYLES)
def test_bfloat16_is_near(checkpoints: dict[str, Path], name: str) -> None:
    utterances = [noise(12345), noise(6000, 1)]
    exact = load(checkpoints[name], 2)
    rounded = load(checkpoints[name], 2, precision="bfloat16")
    for got, wanted in zip(rounded.frames(utterances), exact.frames(utterances), strict=True):
        assert got.dtype == np.float32
        assert 1e-4 < np.linalg.norm(got - wanted) / np.linalg.norm(wanted) < 0.05


@pytest.mark.parametrize("shape", [(7, 5), (2, 7, 5), (2, 3, 7, 5)])
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_a_linear_layer_by_onednn(shape: tuple[int, ...], bias: bool) -> None:
    layer = torch.nn.Linear(5, 4, bias=bias)
    network = torch.nn.Sequential(torch.nn.Sequential(layer))
    x = torch.randn(shape)
    wanted = network(x)
    pretrained.use_onednn(network)
    assert layer.forward.__func__ is pretrained.by_onednn  # type: ignore[attr-defined]
    torch.testing.assert_close(network(x), wanted)
    torch.testing.assert_close(network(x[::2]), wanted[::2])  # not contiguous


def test_onednn_is_used_on_amds_processors_in_float32_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pretrained, "processor", lambda: "vendor_id : AuthenticAMD")
    assert pretrained.onednn_pays(CPU, "float32")
    assert not pretrained.onednn_pays(torch.device("cuda"), "float32")
    assert not pretrained.onednn_pays(CPU, "bfloat16")
    monkeypatch.setattr(pretrained, "processor", lambda: "vendor_id : GenuineIntel")
    assert not pretrained.onednn_pays(CPU, "float32")


def test_a_folder_with_the_papers_name_holds_the_papers_model(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "wav2vec2-large-960h-lv60-self"
    shutil.copytree(checkpoints["wav2vec2-stable"], folder)
    with pytest.raises(InputError, match=r"is \('wav2vec2', 3, 32\), not the paper's model"):
        load(folder, 2)


def test_the_closing_norm_is_a_choice(checkpoints: dict[str, Path]) -> None:
    folder, samples = str(checkpoints["wav2vec2-stable"]), noise(4000)
    plain, closed = load(folder, 2), load(folder, 2, closing_norm=True)
    assert closed.about["closing_norm"] is True
    whole = transformers.Wav2Vec2Model.from_pretrained(folder).eval()
    with torch.inference_mode():
        wanted = whole.encoder.layer_norm(torch.from_numpy(one(plain, samples))).numpy()
    np.testing.assert_allclose(one(closed, samples), wanted, atol=1e-5)
    with pytest.raises(InputError, match="has no closing layer norm"):
        load(checkpoints["wav2vec2"], 2, closing_norm=True)


@pytest.mark.parametrize("normalised", [True, False])
def test_input_is_normalised_as_the_preprocessor_says(
    checkpoints: dict[str, Path], tmp_path: Path, normalised: bool
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoints["wav2vec2-stable"], folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=normalised).save_pretrained(folder)
    upstream = load(folder, 1)
    samples = noise(4000)
    # not the scale, which the norms after the convolutions take away in any case
    same = np.allclose(one(upstream, samples), one(upstream, samples + 0.5), atol=1e-3)
    assert same is normalised
    assert upstream.about["normalised"] is normalised


def test_weights_as_the_papers_checkpoint_has_them(tmp_path: Path) -> None:
    """A CTC model, pytorch_model.bin, weight norm by its old names, no masked_spec_embed."""
    model = transformers.Wav2Vec2ForCTC(config_of("wav2vec2", **STYLES["wav2vec2-stable"]))
    folder = save(model, "wav2vec2", tmp_path / "model")
    (folder / "model.safetensors").unlink()
    new, old = "parametrizations.weight.original", {"0": "weight_g", "1": "weight_v"}
    weights = {
        name if new not in name else name[: -len(new) - 1] + old[name[-1]]: weight
        for name, weight in model.state_dict().items()
    }
    del weights["wav2vec2.masked_spec_embed"]
    assert "wav2vec2.encoder.pos_conv_embed.conv.weight_g" in weights
    torch.save(weights, folder / "pytorch_model.bin")
    samples = noise(4000)
    with torch.inference_mode():
        extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
        inputs = extractor(samples, sampling_rate=16000, return_tensors="pt").input_values
        whole = model.eval()(inputs, output_hidden_states=True).hidden_states
    frames = one(load(folder, 2), samples)
    same(frames, whole[2][0].numpy())


@pytest.mark.parametrize("prefix", ["", "model."])
def test_whisper_needs_no_decoder_and_half_precision_is_computed_in_float32(
    checkpoints: dict[str, Path], tmp_path: Path, prefix: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoints["whisper"], folder)
    weights = load_file(folder / "model.safetensors")
    halves = {prefix + n: w.half() for n, w in weights.items() if n.startswith("encoder.")}
    assert len(halves) < len(weights)
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float16"}))
    samples = noise(4000)
    frames = one(load(folder, 2), samples)
    assert frames.dtype == np.float32
    # the same weights, rounded to half precision, in a model of float32
    rounded = tmp_path / "rounded"
    shutil.copytree(checkpoints["whisper"], rounded)
    weights = {name: weight.half().float() for name, weight in weights.items()}
    save_file(weights, rounded / "model.safetensors", {"format": "pt"})
    same(frames, hidden_states(rounded, samples)[2][: len(frames)])


def test_whisper_cuts_what_is_longer_than_it_hears(checkpoints: dict[str, Path]) -> None:
    upstream = load(checkpoints["whisper"], 2)  # hears 2 s
    samples = noise(2 * 32000 + 700)
    frames = one(upstream, samples)
    assert len(frames) == upstream.frame_count(len(samples)) == 100 + 100 + 3
    pieces = [samples[:32000], samples[32000:64000], samples[64000:]]
    np.testing.assert_array_equal(frames, np.concatenate([one(upstream, p) for p in pieces]))


def test_it_says_what_the_settings_do_not(checkpoints: dict[str, Path]) -> None:
    assert load(checkpoints["hubert"], 2).about == {
        "revision": None,
        "type": "hubert",
        "layers": LAYERS,
        "normalised": True,
        "closing_norm": False,
    }
    assert load(checkpoints["whisper"], LAYERS).about["closing_norm"] is True


# --- what is refused ---


@pytest.mark.parametrize("name", ["wav2vec2", "whisper"])
def test_a_layer_that_is_not_there(checkpoints: dict[str, Path], name: str) -> None:
    with pytest.raises(InputError, match=r"layer 4: .* has layers 1 to 3"):
        load(checkpoints[name], LAYERS + 1)


QUERIES = "encoder.layers.0.attention.q_proj.weight"


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("config.json", None, "config.json"),
        ("preprocessor_config.json", None, "preprocessor_config.json"),
        ("model.safetensors", None, "model.safetensors"),
        ("model.safetensors", {}, "cannot load it"),  # cut in half
        ("model.safetensors", {QUERIES: None}, f"lacks 1 of its weights, such as {QUERIES}"),
        ("model.safetensors", {QUERIES: torch.zeros(3, 3)}, "cannot load it"),
        (
            "config.json",
            {"model_type": "bert"},
            "is a model of type 'bert'; known are hubert, wav2vec2, wavlm, whisper",
        ),
        ("config.json", {"model_type": "nonsense"}, "nonsense"),
        ("config.json", {"conv_stride": [5, 2, 2, 2, 2, 2, 1]}, "a frame every 160 samples"),
        ("preprocessor_config.json", {"sampling_rate": 8000}, "Extractor at 8000 Hz"),
        (
            "preprocessor_config.json",
            {"feature_extractor_type": "WhisperFeatureExtractor"},
            "is of WhisperFeatureExtractor",
        ),
    ],
)
def test_a_damaged_folder_is_named_in_one_line(
    checkpoints: dict[str, Path],
    tmp_path: Path,
    file: str,
    change: dict[str, Any] | None,
    message: str,
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoints["wav2vec2-stable"], folder)
    path = folder / file
    if change is None:
        path.unlink()
    elif not change:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif path.suffix == ".json":
        path.write_text(json.dumps(json.loads(path.read_text()) | change))
    else:
        weights = load_file(path) | change
        save_file({k: w for k, w in weights.items() if w is not None}, path, {"format": "pt"})
    with pytest.raises(InputError) as caught:
        load(folder, 2)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{folder}: ")
    assert "\n" not in str(caught.value)


def test_whisper_with_another_models_preprocessor(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(checkpoints["whisper"], folder)
    transformers.WhisperFeatureExtractor().save_pretrained(folder)
    with pytest.raises(InputError, match=r"480000 samples, 80 mels\) does not fit"):
        load(folder, 1)


@pytest.mark.parametrize("model", ["facebook/wav2vec2-large-960h-lv60-self", "/no/such/folder"])
def test_neither_folder_nor_hub(monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(InputError) as caught:
        load(model, 14)
    assert str(caught.value).startswith(f"{model}: no such folder")
    assert f"hf download {model}" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_hubs_cache_is_enough_and_its_revision_is_recorded(
    checkpoints: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = "0123456789" * 4
    cached = tmp_path / "models--somebody--wavlm"
    shutil.copytree(checkpoints["wavlm"], cached / "snapshots" / revision)
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text(revision)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("asked the network"))
    upstream = load("somebody/wavlm", 2)
    assert upstream.about["revision"] == revision
    samples = noise(4000)
    expected = one(load(checkpoints["wavlm"], 2), samples)
    np.testing.assert_array_equal(one(upstream, samples), expected)


def test_settings_choose_the_upstream(checkpoints: dict[str, Path]) -> None:
    assert build(settings.LogMel(), CPU).dim == 80
    assert build(settings.Mfcc(mels=64), CPU).dim == 40
    chosen = Transformers(model=str(checkpoints["wavlm"]), layer=1)
    assert build(chosen, CPU).about["type"] == "wavlm"
