"""Describe files and jobs as an RO-Crate, with the library rocrate.

Profiles: Workflow RO-Crate 1.0 (the Snakefile is the main entity), Process, Workflow and Provenance
Run Crate 0.5 (each job is a CreateAction with its inputs, outputs, begin and end, carried out for a
step of the workflow). https://www.researchobject.org/workflow-run-crate/profiles/
"""

import importlib.metadata
from collections.abc import Mapping
from typing import Any

from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from emoword import __version__
from emoword.audit.records import Ledger
from emoword.cli import COMMANDS

RUN_CRATE = "https://w3id.org/ro/wfrun"
PROFILES = {
    f"{RUN_CRATE}/process/0.5": "Process Run Crate",
    f"{RUN_CRATE}/workflow/0.5": "Workflow Run Crate",
    f"{RUN_CRATE}/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
PAPER = "https://doi.org/10.21437/Interspeech.2023-1591"
LICENCE = "https://spdx.org/licenses/MIT"
WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
TYPES = {
    ".csv": "text/csv",
    ".json": "application/json",
    ".npy": "application/octet-stream",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tex": "application/x-tex",
}


def crate_metadata(
    jobs: Ledger, names: Mapping[str, str], workflow: str, provenance: Mapping[str, Any]
) -> dict[str, Any]:
    """What ro-crate-metadata.json says.

    Args:
        jobs: the jobs.
        names: path -> name in the crate, of all files in it.
        workflow: the path of the Snakefile.
        provenance: what provenance.json says.
    """
    crate = ROCrate(version="1.1")  # what the profiles build on
    crate.metadata.extra_contexts.append(TERMS)
    ended = max(job.record["ended"] for job in jobs.jobs.values())
    begun = min(job.record["begun"] for job in jobs.jobs.values())
    crate.name = f"emoword: results of the dataset {provenance['dataset']}"
    crate.description = (
        "Emotion label encoding with word embeddings (Stanley et al., Interspeech 2023), "
        "reproduced: results, the records of the jobs that made them, and what recomputes them."
    )
    crate.datePublished = ended
    licence = add(crate, LICENCE, "CreativeWork", name="MIT", url=LICENCE)
    crate.license = licence
    crate.metadata["conformsTo"] = [
        {"@id": "https://w3id.org/ro/crate/1.1"},
        {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
    ]
    crate.add_file(
        dest_path="README.md",
        properties={"name": "README", "encodingFormat": "text/markdown", "about": {"@id": "./"}},
    )
    profiles = [
        add(crate, url, "CreativeWork", name=name, version=url.rpartition("/")[2])
        for url, name in PROFILES.items()
    ]
    crate.root_dataset["conformsTo"] = profiles
    hashes = {p: digest for job in jobs.jobs.values() for p, digest in job.inputs.items()}
    hashes |= {path: job.outputs[path] for path, job in jobs.maker.items()}
    files = {
        path: crate.add_file(dest_path=name, properties=about(name, hashes.get(path, "")))
        for path, name in names.items()
        if path != workflow
    }
    main = add_workflow(crate, names[workflow])
    engine = add(crate, "#snakemake", "SoftwareApplication", name="Snakemake")
    engine["url"], engine["version"] = "https://snakemake.github.io", snakemake_version()
    steps, tools = add_steps(crate, main, jobs)
    actions = add_actions(crate, jobs, files, tools)
    controls = []
    for name, action in actions.items():
        control = add(crate, f"#control/{name}", "ControlAction", name=f"orchestrate {name}")
        control["description"] = f"Snakemake runs {name}"
        control["instrument"] = steps[jobs.jobs[name].stage]
        control["object"] = action
        controls.append(control)
    last = {path: entity for path, entity in files.items() if path in jobs.maker}
    first = {p: e for p, e in files.items() if p in jobs.readers and p not in jobs.maker}
    whole = add(crate, "#run", "CreateAction", name="the workflow's run", instrument=main)
    fill(whole, begun, ended, list(first.values()), list(last.values()))
    organised = add(crate, "#organised", "OrganizeAction", name="Snakemake's run")
    whole["description"] = organised["description"] = "what Snakemake ran"
    organised["instrument"] = engine
    organised["object"] = controls
    organised["result"] = whole
    organised["startTime"], organised["endTime"] = begun, ended
    crate.root_dataset["mentions"] = [whole, organised, *actions.values()]
    metadata: dict[str, Any] = crate.metadata.generate()
    return metadata


def add(crate: ROCrate, at: str, kind: str, **properties: Any) -> ContextEntity:
    """Add an entity that is no file."""
    entity = ContextEntity(crate, at, properties={"@type": kind})
    for name, value in properties.items():
        entity[name] = value
    return crate.add(entity)


def about(name: str, digest: str) -> dict[str, Any]:
    """What is said of a file."""
    suffix = "." + name.rpartition(".")[2]
    said = {"name": name, "encodingFormat": TYPES.get(suffix, "text/plain")}
    return {**said, "sha256": digest} if digest else said


def add_workflow(crate: ROCrate, name: str) -> Any:
    """The Snakefile as the crate's main entity."""
    language = add(
        crate,
        "https://w3id.org/workflowhub/workflow-ro-crate#snakemake",
        "ComputerLanguage",
        name="Snakemake",
        identifier="https://doi.org/10.1093/bioinformatics/bts480",
        url="https://snakemake.github.io",
    )
    main = crate.add_file(
        dest_path=name,
        properties={
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "emoword, from corpus to Tables 1 to 6",
            "encodingFormat": "text/plain",
            "version": __version__,
            "license": LICENCE,
            "conformsTo": {"@id": WORKFLOW},
        },
    )
    main["programmingLanguage"] = language
    crate.mainEntity = main
    return main


def add_steps(crate: ROCrate, main: Any, jobs: Ledger) -> tuple[dict[str, Any], dict[str, Any]]:
    """The stages, each as a step of the workflow and as the tool that carries it out."""
    steps, tools = {}, {}
    stages = dict.fromkeys(job.stage for job in jobs.jobs.values())
    for position, stage in enumerate(stages):
        tool = add(crate, f"#tool/{stage}", "SoftwareApplication", name=f"emoword {stage}")
        tool["description"] = COMMANDS[stage].summary if stage in COMMANDS else stage
        tool["version"], tool["url"] = __version__, PAPER
        step = add(crate, f"#step/{stage}", "HowToStep", name=stage, position=str(position))
        step["workExample"] = tool
        steps[stage], tools[stage] = step, tool
    main["step"] = list(steps.values())
    main["hasPart"] = list(tools.values())
    return steps, tools


def add_actions(
    crate: ROCrate, jobs: Ledger, files: Mapping[str, Any], tools: Mapping[str, Any]
) -> dict[str, Any]:
    """Each job as an action, by the name of its record."""
    actions = {}
    for name, job in jobs.jobs.items():
        action = add(crate, f"#job/{name}", "CreateAction", name=f"emoword {job.stage}")
        action["description"] = "emoword " + " ".join(job.command)
        action["instrument"] = tools[job.stage]
        inputs = [files[path] for path in job.inputs if path in files]
        outputs = [files[path] for path in job.outputs if path in files]
        fill(action, job.record["begun"], job.record["ended"], inputs, outputs)
        actions[name] = action
    return actions


def fill(action: Any, begun: str, ended: str, inputs: list[Any], outputs: list[Any]) -> None:
    """Put times, inputs and outputs into an action."""
    action["startTime"], action["endTime"] = begun, ended
    action["actionStatus"] = "http://schema.org/CompletedActionStatus"
    for name, values in (("object", inputs), ("result", outputs)):
        if values:
            action[name] = values if len(values) > 1 else values[0]


def snakemake_version() -> str:
    """The version of Snakemake here; unknown where it is not installed."""
    try:
        return importlib.metadata.version("snakemake")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
