"""Table 4 without a corpus: the paper's four lists of words in the word space of IEMOCAP."""


rule table4:
    """All 20 words beside the paper's."""
    input:
        f"results/table4/{parts('iemocap').variants['paper'].settings.space}.csv",


rule target_words:
    """The words nearest to the paper's four example targets."""
    input:
        space="results/spaces/{space}/meta.json",
        reported=source("paper/reported.csv"),
        code=code("reproduction.table4"),
    output:
        "results/table4/{space}.csv",
    log:
        "results/table4/logs/{space}.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        space=subpath(input.space, parent=True),
    shell:
        "emoword table4 --space {params.space} --reported {input.reported} --out {output}"
        " --record {log}.json 2>&1 | tee {log}"
