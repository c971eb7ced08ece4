"""Names and paths of figures, looked up in the configuration."""

# what is read of a folder that an option of `emoword figure` names
IN_FOLDER = {
    "space": ["meta.json"],
    "features": ["meta.json"],
    "runs": ["predictions.npy", "run.json", "split.csv"],
}


def figure_inputs(name, figure):
    """The files that the options of a figure's command name; the network's are settings, too."""
    files = []
    for option, value in plan(name).figure_options()[figure].items():
        for path in value if isinstance(value, list) else [value]:
            files += [f"{path}/{file}" for file in IN_FOLDER.get(option, [])]
            files += [path] if str(path).endswith(".csv") else []
            files += [f"{Path(path).parent}/run.json"] if option == "history" else []
    return files
