"""Validate an RO-Crate with roc-validator where no network is: python validate_crate.py FOLDER.

roc-validator carries its profiles with it, but fetches the two JSON-LD contexts that a crate names.
The library rocrate carries that of RO-Crate 1.3; in 1.1, which the profile builds on, Bioschemas'
terms had other addresses, which are put back. Of the Workflow Run terms our crates use one.
Run where both packages are:

    python -m venv validator && validator/bin/pip install roc-validator rocrate
    validator/bin/python tests/validate_crate.py FOLDER

(They need another rich than our other tools, so they are not among our requirements. With a
network, `rocrate-validator validate -p workflow-ro-crate FOLDER` does the same.)
"""

import io
import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from rocrate_validator import models, services
from urllib3.response import HTTPResponse

TERMS = {"@context": {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}}


def answer(adapter: HTTPAdapter, request: Any, **_: object) -> requests.Response:
    """What the network would say."""
    status, body = 404, b""
    if request.url.startswith("https://w3id.org/ro/crate/"):
        status, body = 200, (resources.files("rocrate") / "data" / "ro-crate.jsonld").read_bytes()
        body = body.replace(b"https://bioschemas.org/terms/", b"https://bioschemas.org/")
    elif request.url.startswith("https://w3id.org/ro/terms/workflow-run"):
        status, body = 200, json.dumps(TERMS).encode()
    raw = HTTPResponse(
        io.BytesIO(body),
        {"Content-Type": "application/ld+json"},
        status,
        preload_content=False,
        request_url=request.url,
    )
    return adapter.build_response(request, raw)


def main(folder: Path) -> int:
    """Validate against the profile; print what fails."""
    HTTPAdapter.send = answer  # type: ignore[method-assign,assignment]
    failed = 0
    for severity in (models.Severity.REQUIRED, models.Severity.RECOMMENDED):
        settings = services.ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="workflow-ro-crate",
            requirement_severity=severity,
            requirement_severity_only=severity == models.Severity.RECOMMENDED,
            disable_remote_crate_download=True,
            no_cache=True,
        )
        issues = services.validate(settings).get_issues()
        print(f"{severity.name.lower()}: {len(issues)} issues")
        print(*dict.fromkeys(f"  {i.check.identifier} {i.message}" for i in issues), sep="\n")
        failed += len(issues) if severity == models.Severity.REQUIRED else 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
