import contextlib
import re
import shlex
import subprocess
import sys

import pytest

from emoword import __version__, cli


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with contextlib.suppress(SystemExit):  # argparse leaves so
        cli.main(arguments)
    return capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    listed = said(capsys, "--help")
    assert all(f"  {name}: " in listed for name in cli.COMMANDS)
    assert all(f"{group}:" in listed for group in cli.GROUPS)


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With examples to paste: on lines of their own, with the arguments that the command wants."""
    monkeypatch.setattr(sys, "argv", ["emoword", name, "--help"])
    help_ = said(capsys, name, "--help").replace("Usage: emoword", "")
    whole = re.sub(r" *\\ *\n *", " ", help_).splitlines()
    examples = [shlex.split(line)[1:] for line in whole if re.match(r" *emoword [\w-]+( |$)", line)]
    assert name in [example[0] for example in examples]
    for example in examples:
        app = cli.build_app(example[0])
        app.parse_args(example, exit_on_error=False, print_error=False)


def test_a_command_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["trian", "--fold", "1"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said == "emoword: there is no command 'trian'; did you mean train?\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "--version").strip() == f"emoword {__version__}"


def test_the_command_line_stays_light() -> None:
    """Snakemake starts hundreds of these; only the chosen stage's imports may cost time."""
    program = (
        "import sys, emoword.cli; sys.exit(any(m in sys.modules for m in ('torch', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_users_mistake_is_one_line_and_status_1() -> None:
    command = [sys.executable, "-m", "emoword", "evaluate", "no.csv", "--out", "x"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "emoword evaluate: no.csv: no such file\n"


def test_a_full_disk_is_a_users_mistake() -> None:
    command = [sys.executable, "-m", "emoword", "demo", "--out", "/proc/nowhere/corpus"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
