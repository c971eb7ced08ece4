"""Word spaces: fetched, stored, transformed."""


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
        "emoword fetch {params.options} > {log:q}"  # its progress bar stays on the terminal


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
        options=lambda w: flags(space_options(CONFIG.spaces[w.space])),
    shell:
        "emoword space {params.options} --out {params.folder:q} --record {log:q}.json > {log:q} 2>&1"


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
        "emoword transform-space {params.space:q} {params.options}"
        " --out {params.folder:q} --record {log:q}.json > {log:q} 2>&1"
