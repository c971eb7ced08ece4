"""The paper's numbers and claims beside ours, leak checks, Tables A1, A2 and A6, sensitivity."""


rule check_leaks:
    """Whether test data leaked into training; if so, nothing is decided, and so not evaluated."""
    input:
        variant=variant_file,
        runs=lambda w: run_files(w, "run.json", "weights.safetensors", "split.csv"),
        utterances="results/{dataset}/utterances.csv",
        sets=lambda w: label_set_files(w) + label_set_files(w, "classes.json"),
        vectors=vector_files,
        frames=lambda w: feature_files(w.dataset, of_variant(w).settings.upstream),
        code=code("reproduction.leaks"),
    output:
        "results/{dataset}/leaks/{variant}.json",
    log:
        "results/{dataset}/logs/leaks/{variant}.log",
    benchmark:
        "results/{dataset}/benchmarks/leaks/{variant}.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword check-leaks {input.variant:q} --utterances {input.utterances:q}"
        " --out {output:q} --record {log:q}.json > {log:q} 2>&1"


rule versus_paper:
    """Our tables beside the paper's numbers, cell by cell."""
    input:
        variant=variant_file,
        tables=expand("results/{{dataset}}/tables/table{n}.json", n=[1, 3, 4, 5, 6]),
        reported=source("paper/reported.csv"),
        code=code("reproduction.versus_paper"),
    output:
        report(
            "results/{dataset}/versus_paper.csv",
            category="Claims",
            labels={"what": "ours beside the paper's", "format": "CSV"},
            caption="../report/versus_paper.rst",
        ),
    log:
        "results/{dataset}/logs/versus_paper.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword versus-paper {input.variant:q} --reported {input.reported:q} --out {output:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule claims:
    """Does each claim of the paper hold?"""
    input:
        variant=variant_file,
        comparisons=claim_comparisons,
        claims=source("paper/claims.yaml"),
        differences="results/{dataset}/differences.csv",
        intervals="results/{dataset}/intervals.csv",
        neighbours=lambda w: f"results/{w.dataset}/neighbours/{first(w.dataset).name}.csv",
        targets=lambda w: label_set_files(w, "summary.json"),
        reported=source("paper/reported.csv"),
        literature=source("paper/literature.csv"),
        versus="results/{dataset}/versus_paper.csv",
        templates=[
            source("paper/templates/claims.tex.j2"),
            source("src/emoword/resources/page/claims.html.j2"),
            source("src/emoword/resources/page/claims_list.html.j2"),
        ],
        code=code("reproduction.claims"),
    output:
        csv="results/{dataset}/claims.csv",
        parts="results/{dataset}/claim_parts.csv",
        tex="results/{dataset}/tables/claims.tex",
        html=report(
            "results/{dataset}/claims.html",
            category="Claims",
            labels={"what": "verdicts", "format": "HTML"},
            caption="../report/claims.rst",
        ),
    log:
        "results/{dataset}/logs/claims.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    params:
        templates=lambda w, input: os.path.dirname(input.templates[0]),
    shell:
        "emoword claims {input.variant:q} --claims {input.claims:q} --reported {input.reported:q}"
        " --literature {input.literature:q} --templates {params.templates:q}"
        " --csv {output.csv:q} --parts {output.parts:q} --tex {output.tex:q} --html {output.html:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule controls:
    """Table A2 of the configured dataset; and the differences that a claim of ours is about."""
    input:
        table_and(
            "A2",
            "comparisons/controls/metrics.csv",
            "comparisons/controls/differences.csv",
            "comparisons/rates/metrics.csv",
            "comparisons/rates/differences.csv",
        ),


rule control_table:
    """A table of the appendix, from the variants that it compares (here A2, the controls)."""
    input:
        variants=lambda w: variant_files(w.dataset, compared(w.dataset, "controls")),
        decisions=lambda w: of_compared(w.dataset, "controls", "decisions"),
        untrained=lambda w: expand(
            "results/{dataset}/{stage}/{variant}.csv",
            dataset=w.dataset,
            stage=["linear", "floors"],
            variant=compared(w.dataset, "controls")[0],
        ),
        best_rate="results/{dataset}/comparisons/rates/best_rate.csv",
        utterances="results/{dataset}/utterances.csv",
        controls=source("paper/controls.yaml"),
        template=source("paper/templates/table.tex.j2"),
        code=code("reproduction.controls"),
    output:
        csv=csv_in_report("A2", "controls"),
        tex="results/{dataset}/tables/tableA2.tex",
    log:
        "results/{dataset}/logs/tables/tableA2.log",
    conda:
        "../../envs/emoword.yaml"
    params:
        command="control-table",
        options=options_of("controls", "best_rate", "template"),
    shell:
        "emoword {params.command} {input.variants:q} {params.options} --csv {output.csv:q}"
        " --tex {output.tex:q} --record {log:q}.json > {log:q} 2>&1"


rule raters:
    """Table A6 of the configured dataset: what a rater reaches by the models' measures."""
    input:
        table_and("A6"),


use rule control_table as rater_table with:
    input:
        unpack(lambda w: rater_inputs(w.dataset, [first(w.dataset).name])),
        code=code("reproduction.raters"),
    output:
        csv=csv_in_report("A6", "raters"),
        tex="results/{dataset}/tables/tableA6.tex",
    log:
        "results/{dataset}/logs/tables/tableA6.log",
    localrule: True
    params:
        command="raters",
        options=options_of("template"),


rule encodings:
    """All encodings of labels of the configured dataset, by majority and by distribution."""
    input:
        of_dataset(
            "comparisons/encodings/raters.csv",
            "comparisons/encodings/metrics.csv",
            "comparisons/encodings/differences.csv",
            "tables/encodings.tex",
        ),


use rule rater_table as encodings_table with:
    input:
        unpack(lambda w: rater_inputs(w.dataset, compared(w.dataset, "encodings"))),
        code=code("reproduction.raters"),
    output:
        csv=report(
            "results/{dataset}/comparisons/encodings/raters.csv",
            category="Tables",
            labels={"table": "A6, all encodings", "format": "CSV"},
            caption="../report/raters.rst",
        ),
        tex="results/{dataset}/tables/encodings.tex",
    log:
        "results/{dataset}/logs/comparisons/encodings_table.log",
    localrule: True  # not inherited


rule compare_spaces:
    """Table A1 of the configured dataset; and the differences that a claim of the paper is about."""
    input:
        table_and("A1", "comparisons/spaces/differences.csv"),


use rule control_table as space_table with:
    input:
        variants=lambda w: variant_files(w.dataset, compared(w.dataset, "spaces")),
        made=expand(
            "results/{{dataset}}/comparisons/spaces/{file}.csv",
            file=["metrics", "intervals", "differences"],
        ),
        spaces=lambda w: [
            path
            for variant in compared(w.dataset, "spaces")
            for path in below(
                w.dataset, parts(w.dataset).variants[variant].space, "meta.json"
            )
        ],
        template=source("paper/templates/table.tex.j2"),
        code=code("reproduction.spaces_comparison"),
    output:
        csv=csv_in_report("A1", "table"),
        tex="results/{dataset}/tables/tableA1.tex",
    log:
        "results/{dataset}/logs/tables/tableA1.log",
    localrule: True
    params:
        command="compare-spaces",
        options=lambda w, input: flags(
            {
                "comparison": os.path.dirname(input.made[0]),
                "template": input.template,
            }
        ),


rule cross_corpus:
    """Table A4 of the configured union."""
    input:
        table_and("A4", "comparisons/cross_corpus/metrics.csv"),


use rule control_table as cross_corpus_table with:
    input:
        unpack(lambda w: decided_files(w.dataset, "cross_corpus")),
        code=code("reproduction.cross_corpus"),
    output:
        csv=csv_in_report("A4", "cross_corpus"),
        tex="results/{dataset}/tables/tableA4.tex",
    log:
        "results/{dataset}/logs/tables/tableA4.log",
    localrule: True
    params:
        command="cross-corpus",
        options=options_of("utterances", "template"),


rule unseen:
    """Table A5 of the configured dataset, and its figure."""
    input:
        table_and("A5", "comparisons/unseen/metrics.csv", "figures/unseen.pdf"),


use rule control_table as unseen_table with:
    input:
        unpack(lambda w: decided_files(w.dataset, "unseen")),
        synonyms=source("src/emoword/resources/wordnet.synonyms.txt"),
        code=code("reproduction.unseen"),
    output:
        csv=csv_in_report("A5", "unseen"),
        tex="results/{dataset}/tables/tableA5.tex",
    log:
        "results/{dataset}/logs/tables/tableA5.log",
    params:
        command="unseen",
        options=options_of("utterances", "template"),


use rule figure as unseen_figure with:
    input:
        table="results/{dataset}/tables/tableA5.csv",
        code=code("reproduction.unseen_figure"),
    wildcard_constraints:
        figure="unseen",
    localrule: True  # not inherited
    params:
        options=lambda w: flags(plan(w.dataset).figure("unseen").reads),


rule sensitivity:
    """The sensitivity table of the configured dataset, and the ledger of choices."""
    input:
        of_dataset(
            "comparisons/sensitivity/sensitivity.csv",
            "comparisons/sensitivity/verdicts.csv",
            "comparisons/sensitivity/metrics.csv",
            "tables/sensitivity.tex",
            *READINGS,
        ),


rule sensitivity_table:
    """Each alternative's change in UA, WA and the claims' verdicts."""
    input:
        decisions=lambda w: of_compared(w.dataset, "sensitivity", "decisions"),
        neighbours=lambda w: of_compared(w.dataset, "sensitivity", "neighbours"),
        variants=lambda w: variant_files(w.dataset, compared(w.dataset, "sensitivity")),
        targets=lambda w: [
            path
            for own in map(
                parts(w.dataset).variants.get, compared(w.dataset, "sensitivity")
            )
            for folder in own.targets.values()
            for path in below(w.dataset, folder, "summary.json")
        ],
        utterances="results/{dataset}/utterances.csv",
        choices=source("paper/choices.yaml"),
        claims=source("paper/claims.yaml"),
        reported=source("paper/reported.csv"),
        template=source("paper/templates/sensitivity.tex.j2"),
        code=code("reproduction.sensitivity"),
    output:
        csv=report(
            "results/{dataset}/comparisons/sensitivity/sensitivity.csv",
            category="Sensitivity",
            labels={"what": "differences", "format": "CSV"},
            caption="../report/sensitivity.rst",
        ),
        verdicts=report(
            "results/{dataset}/comparisons/sensitivity/verdicts.csv",
            category="Sensitivity",
            labels={"what": "verdicts", "format": "CSV"},
            caption="../report/sensitivity.rst",
        ),
        tex="results/{dataset}/tables/sensitivity.tex",
    log:
        "results/{dataset}/logs/comparisons/sensitivity_table.log",
    benchmark:
        "results/{dataset}/benchmarks/comparisons/sensitivity_table.tsv"
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword sensitivity {input.variants:q} --choices {input.choices:q} --claims {input.claims:q}"
        " --reported {input.reported:q} --template {input.template:q}"
        " --csv {output.csv:q} --verdicts {output.verdicts:q} --tex {output.tex:q}"
        " --record {log:q}.json > {log:q} 2>&1"


rule readings:
    """How many targets S2 and S3 have under each reading of section 4.2."""
    input:
        of_dataset(*READINGS),


use rule control_table as readings_table with:
    input:
        variants=variant_file,
        utterances="results/{dataset}/utterances.csv",
        annotations="results/{dataset}/annotations.csv",
        space=space_file,
        reported=source("paper/reported.csv"),
        template=source("paper/templates/table.tex.j2"),
        code=code("reproduction.readings"),
    output:
        csv=report(
            "results/{dataset}/comparisons/sensitivity/readings.csv",
            category="Sensitivity",
            labels={"what": "readings of section 4.2", "format": "CSV"},
            caption="../report/readings.rst",
        ),
        tex="results/{dataset}/tables/readings.tex",
    log:
        "results/{dataset}/logs/readings.log",
    benchmark:
        "results/{dataset}/benchmarks/readings.tsv"
    params:
        command="readings",
        options=options_of("reported", "template"),


rule groups:
    """Table A8 of the configured dataset; published numbers beside it."""
    input:
        table_and("A8", "compare.csv"),


use rule control_table as groups_table with:
    input:
        variants=variant_file,
        decisions=lambda w: f"results/{w.dataset}/decisions/{first(w.dataset).name}.csv",
        metrics="results/{dataset}/metrics.csv",
        utterances="results/{dataset}/utterances.csv",
        frames=lambda w: [
            path
            for file in ("index.csv", "meta.json")
            for path in feature_files(
                w.dataset, first(w.dataset).settings.upstream, file
            )
        ],
        template=source("paper/templates/table.tex.j2"),
        code=code("reproduction.groups"),
    output:
        csv=csv_in_report("A8", "groups"),
        tex="results/{dataset}/tables/tableA8.tex",
    log:
        "results/{dataset}/logs/tables/tableA8.log",
    localrule: True
    params:
        command="groups",
        options=options_of("template"),


rule space_audit:
    """Table A7 of the configured dataset."""
    input:
        table_and("A7"),


use rule control_table as space_audit_table with:
    input:
        unpack(lambda w: decided_files(w.dataset, "space_audit")),
        decisions=lambda w: of_compared(w.dataset, "space_audit", "decisions"),
        lists=source("paper/word_lists.yaml"),
        code=code("reproduction.space_audit"),
    output:
        csv=csv_in_report("A7", "space_audit"),
        tex="results/{dataset}/tables/tableA7.tex",
    log:
        "results/{dataset}/logs/tables/tableA7.log",
    benchmark:
        "results/{dataset}/benchmarks/tables/tableA7.tsv"
    params:
        command="space-audit",
        options=options_of("lists", "template"),


rule compare_works:
    """Published numbers beside M1's, and whether their protocol is ours."""
    input:
        variant=variant_file,
        metrics="results/{dataset}/metrics.csv",
        literature=source("paper/literature.csv"),
        code=code("reproduction.compare"),
    output:
        "results/{dataset}/compare.csv",
    log:
        "results/{dataset}/logs/compare.log",
    localrule: True
    conda:
        "../../envs/emoword.yaml"
    shell:
        "emoword compare {input.variant:q} --literature {input.literature:q} --out {output:q}"
        " --record {log:q}.json > {log:q} 2>&1"
