"""Word spaces: fetched, stored, transformed."""

EMBEDDED_CUTS = {
    "embedded": "glove.6B.100d.cut.txt.xz",
    "embedded-bert": "all-MiniLM-L6-v2.static.cut.txt.xz",
    "bert": "glove.6B.100d.cut.txt.xz",  # the default word list
}


def fetched():
    """Sources that are not there and have an address: path -> options of `emoword fetch`.

    One that is there is never an output of a rule, so that Snakemake removes nobody's file; nor is
    an absolute path, which a user wrote: a slip in it is an error, and no download.
    """
    return {
        own.source: {"url": own.url, "sha256": own.sha256}
        for own in CONFIG.spaces.values()
        if getattr(own, "url", "")
        and not Path(own.source).is_absolute()
        and not Path(own.source).exists()
    }


FETCHED = fetched()


def space_files(name):
    """What a space is made from. What is not there is left to the command, which says what to do."""
    chosen = in_one_line(settings.one)(CONFIG, "spaces", name)
    named = {key: getattr(chosen, key, "") for key in ("source", "words")}
    named["keep"] = chosen.filter.words
    if space_format(chosen) in EMBEDDED_CUTS:
        cut = EMBEDDED_CUTS[space_format(chosen)]
        named["embedded"] = source(f"src/emoword/resources/{cut}")
    return {
        key: path
        for key, path in named.items()
        if path and (Path(path).exists() or path in FETCHED)
    }


def space_format(chosen):
    """What the config calls `format`."""
    return chosen.__struct_config__.tag


def space_flags(name):
    """The options of `emoword space`; where the source is fetched from is not for it."""
    chosen = in_one_line(settings.one)(CONFIG, "spaces", name)
    own = {
        key: getattr(chosen, key, None)
        for key in ("source", "words", "vector", "hide_phrases")
    }
    words = chosen.filter
    return flags(
        {
            "format": space_format(chosen),
            **own,
            "most_frequent": words.most_frequent or None,
            "lowercase_alphabetic": words.lowercase_alphabetic,
            "spelled": words.spelled,
            "keep": words.words,
        }
    )


rule fetch:
    """Fetch the public file that a word space is made from."""
    output:
        "{file}",
    log:
        "results/logs/fetch/{file}.log",
    wildcard_constraints:
        file="|".join(map(re.escape, FETCHED)) or "(?!)",
    localrule: True  # compute nodes may have no network
    conda:
        "../../envs/emoword.yaml"
    params:
        options=lambda w: flags({**FETCHED[w.file], "out": w.file}),
    shell:
        "emoword fetch {params.options} > {log}"  # its progress bar stays on the terminal


rule space:
    """Make the memory-mapped store of a word space."""
    input:
        unpack(lambda w: space_files(w.space)),
        code=code("spaces.make"),
    output:
        vectors="results/spaces/{space}/vectors.npy",
        words="results/spaces/{space}/words.txt",
        offsets="results/spaces/{space}/offsets.npy",
        order="results/spaces/{space}/order.npy",
        meta="results/spaces/{space}/meta.json",
    log:
        "results/spaces/logs/{space}.log",
    benchmark:
        "results/spaces/benchmarks/{space}.tsv"
    conda:
        "../../envs/emoword.yaml"
    params:
        folder=subpath(output.meta, parent=True),
        options=lambda w: space_flags(w.space),
    shell:
        "emoword space {params.options} --out {params.folder} --record {log}.json > {log} 2>&1"


rule transform_space:
    """Centre a word space, take its top components away, shuffle it, or make it random."""
    input:
        space="results/spaces/{space}/meta.json",
        targets=lambda w: label_set_files(w) if w.transform == "shuffled" else [],
        code=code("spaces.transforms"),
    output:
        vectors="results/{dataset}/spaces/{space}-{transform}/vectors.npy",
        words="results/{dataset}/spaces/{space}-{transform}/words.txt",
        offsets="results/{dataset}/spaces/{space}-{transform}/offsets.npy",
        order="results/{dataset}/spaces/{space}-{transform}/order.npy",
        meta="results/{dataset}/spaces/{space}-{transform}/meta.json",
    log:
        "results/{dataset}/logs/spaces/{space}-{transform}.log",
    benchmark:
        "results/{dataset}/benchmarks/spaces/{space}-{transform}.tsv"
    wildcard_constraints:
        transform="centred|top_removed|shuffled|random",
    conda:
        "../../envs/emoword.yaml"
    params:
        space=subpath(input.space, parent=True),
        folder=subpath(output.meta, parent=True),
        options=lambda w, input: flags(
            {
                "transform": w.transform,
                "targets": [os.path.dirname(path) for path in input.targets],
            }
        ),
    shell:
        "emoword transform-space {params.space} {params.options}"
        " --out {params.folder} --record {log}.json > {log} 2>&1"
