"""What others go by: one version everywhere, environments in step, files that are promised."""

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def parsed(name: str) -> Any:
    return yaml.safe_load(read(name))


def test_the_version_is_one() -> None:
    version = PROJECT["version"]
    assert parsed("CITATION.cff")["version"] == version
    assert json.loads(read("codemeta.json"))["version"] == version
    assert re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)[0] == version
    assert f"ranges of version {version}" in read("README.md")


def test_codemeta_says_what_the_project_says() -> None:
    meta = json.loads(read("codemeta.json"))
    assert meta["description"] == PROJECT["description"]
    assert meta["keywords"] == PROJECT["keywords"]
    assert meta["license"].endswith(PROJECT["license"])
    assert meta["runtimePlatform"] == f"Python {PROJECT['requires-python'].replace('>=', '>= ')}"


def test_environments_are_in_step() -> None:
    """Conda's Python and the image's are allowed; both install what the constraints say."""
    conda = parsed("envs/emoword.yaml")["dependencies"]
    assert all(re.match(r"(python|pip)=", name) for name in conda)
    (python,) = re.findall(r"python=3\.(\d+)", " ".join(conda))
    (image,) = re.findall(r"^FROM python:3\.(\d+)", read("Dockerfile"), re.MULTILINE)
    (ci,) = re.findall(r'python-version: "3\.(\d+)"', read(".github/workflows/ci.yml"))
    assert python == image == ci
    assert int(python) >= int(PROJECT["requires-python"].removeprefix(">=3."))
    deploy = read("envs/emoword.post-deploy.sh")
    assert "--constraint constraints.txt --editable ." in deploy
    pinned = {normal(name) for name in re.findall(r"^([\w.-]+)==", read("constraints.txt"), re.M)}
    wanted = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    assert {normal(re.findall(r"^[\w.-]+", name)[0]) for name in wanted} <= pinned


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_codecheck_manifest_is_what_a_demo_makes() -> None:
    files = [entry["file"] for entry in parsed("codecheck.yml")["manifest"]]
    known = read("docs/results.md")
    for file in files:
        name = Path(file)
        assert file.startswith("results/demo/")
        assert (
            name.name in known
            or f"`{name.parent.name}/*{name.suffix}`" in known
            or ("tables/table{1..6}.csv" in known and re.fullmatch(r"table[1-6]\.csv", name.name))
        )


def test_every_way_into_ci_is_the_same() -> None:
    assert {"run": ".ci/run"} in parsed(".github/workflows/ci.yml")["jobs"]["all"]["steps"]
    assert parsed(".pre-commit-config.yaml")["repos"][0]["hooks"][0]["entry"] == "./run check"
    for script in (".ci/run", ".ci/container", "run"):
        assert subprocess.run(["bash", "-n", ROOT / script], check=False).returncode == 0
