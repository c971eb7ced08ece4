"""Names and paths of frames, looked up in the configuration."""


def model_folder(upstream):
    """The model's configuration and weights, where it is a folder and not a hub name."""
    chosen = in_one_line(settings.one)(CONFIG, "upstreams", upstream)
    model = Path(getattr(chosen, "model", ""))
    names = (
        "config.json",
        "preprocessor_config.json",
        "model.safetensors",
        "pytorch_model.bin",
    )
    return [str(model / name) for name in names if (model / name).is_file()]
