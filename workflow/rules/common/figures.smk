"""Names and paths of figures, looked up in the configuration."""


def figure_inputs(name, figure):
    """The data files of a figure; the network's is drawn from the configuration alone."""
    own = first(name)
    folder = f"results/{name}"
    if figure == "claims":
        return {"claims": f"{folder}/claims.csv", "parts": f"{folder}/claim_parts.csv"}
    if figure == "confusion":
        return {"decisions": f"{folder}/decisions/{own.name}.csv"}
    if figure == "curves":
        return {"history": [f"{folder}/{run}/history.csv" for run in own.runs()]}
    space = below(name, own.space, "meta.json")[0]
    if figure == "network":
        frames = feature_files(name, own.settings.upstream, "meta.json")[0]
        return {"features": frames, "space": space}
    neighbours = f"{folder}/neighbours/{own.name}.csv"
    if figure == "targets":
        return {"neighbours": neighbours}
    if figure == "neighbours":
        nearest, decisions = (
            f"{folder}/{stage}/{own.name}.csv" for stage in ("nearest", "decisions")
        )
        return {"neighbours": neighbours, "nearest": nearest, "decisions": decisions}
    runs = [f"{folder}/{run}/predictions.npy" for run in own.table_runs()]
    means = f"{folder}/neighbours/{own.name}_means.csv"
    return {"neighbours": neighbours, "means": means, "space": space, "runs": runs}


def figure_records(name, figure):
    """What lies beside histories and predictions: which run it is, of which utterances."""
    own = first(name)
    if figure == "curves":
        return [f"results/{name}/{run}/run.json" for run in own.runs()]
    runs = own.table_runs() if figure == "map" else []
    return [
        f"results/{name}/{run}/{file}"
        for run in runs
        for file in ("run.json", "split.csv")
    ]
