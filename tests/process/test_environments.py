"""Other interpreters: found, asked, and given an environment, by a runner that only plays installing; ours stands in for them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

import gilbench
from gilbench.cases.case import Case
from gilbench.cases.order import Order
from gilbench.errors import UserError
from gilbench.measure import software as software_module
from gilbench.measure.software import prepared
from gilbench.measure.workers import Workers
from gilbench.process import environments
from gilbench.process.environments import environment, measuring
from gilbench.process.interpreters import Done, Interpreter, Run, complaint, execute, find

OTHER = Interpreter("/some/python3.13t", "3.13.5", "3.13t")
FACTS = {"path": "/base/python", "version": [3, 13, 5], "implementation": "CPython", "free_threaded": True}


@dataclass
class Installer:
    """Plays python -m venv, uv and pip. refuses: says whether a call that asks for these requirements fails."""

    refuses: Callable[[Sequence[str]], bool] = lambda requirements: False
    calls: list[list[str]] = field(default_factory=list)
    variables: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, command: Sequence[str], variables: Mapping[str, str]) -> Done:
        self.calls.append(list(command))
        self.variables.append(variables)
        if "venv" in command:
            binary = environments.binary_of(Path(command[-1]))
            binary.parent.mkdir(parents=True)
            binary.touch()
            return done()
        refused = self.refuses(command[command.index("install") + 1 :])
        return done(err="note: no\nERROR: No matching distribution found", code=1) if refused else done()

    @property
    def installs(self) -> list[list[str]]:
        """The requirements of each call that installs."""
        calls = [call for call in self.calls if "install" in call]
        return [[part for part in call if ">=" in part or "==" in part] for call in calls]


def done(out: str = "", err: str = "", code: int = 0) -> Done:
    return Done([], code, out, err)


def without(*names: str) -> Callable[[Sequence[str]], bool]:
    return lambda requirements: any(part.startswith(names) for part in requirements)


def folders(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "environments").iterdir())


@pytest.fixture(autouse=True)
def pip_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "commands").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "commands"))


def command(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / (f"{name}.exe" if os.name == "nt" else name)
    path.touch(mode=0o755)
    return path


def test_a_version_is_looked_for_on_the_path_behind_shims_that_do_not_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim, real = command(tmp_path / "shims", "python3.13t"), command(tmp_path / "bin", "python3.13t")
    monkeypatch.setenv("PATH", os.pathsep.join([str(shim.parent), str(real.parent)]))

    def run(command: Sequence[str], variables: Mapping[str, str]) -> Done:
        return done(json.dumps(FACTS) + "\n") if command[0] == str(real) else done(err="shim: not found", code=127)

    found = find("3.13t", run)
    assert found == Interpreter("/base/python", "3.13.5", "3.13t", str(real))
    assert (found.name, found.label) == ("py3.13t", "Python 3.13.5 free-threaded")


def test_our_own_interpreter_is_found_by_its_path() -> None:
    found = find(sys.executable)
    assert found.version == ".".join(map(str, sys.version_info[:3]))
    assert found.tag.startswith(f"{sys.version_info.major}.{sys.version_info.minor}")
    assert Path(found.path).exists()


def test_another_implementation_has_another_tag(tmp_path: Path) -> None:
    facts = {**FACTS, "implementation": "PyPy", "version": [3, 11, 9], "free_threaded": False}
    found = find(str(command(tmp_path, "pypy")), lambda command, variables: done(json.dumps(facts)))
    assert (found.tag, found.name) == ("pypy3.11", "pypy3.11")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        (done(json.dumps({**FACTS, "version": [3, 10, 13]})), "is Python 3.10.13: gilbench needs 3.11 or newer"),
        (done(json.dumps({**FACTS, "version": [2, 7, 18]})), "is Python 2.7.18: gilbench needs 3.11 or newer"),
        (done(err="shim: no\nmore"), "is not a working Python: shim: no"),
        (done("[]"), "is not a working Python: "),
        (done(), "is not a working Python: exit code 0"),
    ],
)
def test_what_is_no_interpreter_for_us_is_one_line(tmp_path: Path, said: Done, line: str) -> None:
    with pytest.raises(UserError, match=line) as caught:
        find(str(command(tmp_path, "python")), lambda command, variables: said)
    assert "\n" not in str(caught.value)


def test_an_interpreter_that_is_not_there_or_does_not_start_is_one_line(tmp_path: Path) -> None:
    for name in ("", "9.99", "/no/such/python", str(tmp_path)):
        with pytest.raises(UserError, match=f"no interpreter {name!r}"):
            find(name)
    if sys.platform != "win32":
        command(tmp_path, "python").write_text("#!/no/such/shell\n")
        with pytest.raises(UserError, match="cannot be started: No such file"):
            find(str(tmp_path / "python"))


def test_an_environment_is_made_by_one_call_and_only_once(tmp_path: Path) -> None:
    installer, said = Installer(), list[str]()
    folder, refused = measuring(OTHER, tmp_path, said.append, installer)
    assert refused == {}
    assert len(said) == 1 and "making an environment for Python 3.13.5 free-threaded with pip, once" in said[0]
    assert installer.calls[0][:4] == [OTHER.path, "-P", "-m", "venv"]
    (requirements,) = installer.installs
    assert any(part.startswith("dask[array,dataframe]>=") for part in requirements)
    assert all("<=" in part for part in requirements), "no package may be newer than ours"
    assert not any(part.startswith(environments.OURS) for part in requirements), "workers draw no charts"
    assert "--prefer-binary" in installer.calls[1] and "numpy,pandas,pyarrow,scipy" in installer.calls[1]
    assert environments.binary_of(folder).exists() and not (folder / "tmp").exists()
    again = Installer()
    assert measuring(OTHER, tmp_path, said.append, again) == (folder, {})
    assert again.calls == [] and len(said) == 1
    other, _ = measuring(Interpreter("/some/python3.13", "3.13.5", "3.13"), tmp_path, said.append, Installer())
    assert other != folder


def test_packages_of_the_users_go_first_and_are_not_replaced(tmp_path: Path) -> None:
    installer = Installer()
    usual, _ = measuring(OTHER, tmp_path, print, Installer())
    folder, _ = measuring(OTHER, tmp_path, print, installer, ("pandas==3.0.3", "Numpy[extra]==2"))
    assert folder != usual
    first, then = installer.installs
    assert first == ["pandas==3.0.3", "Numpy[extra]==2"]
    assert then[:2] == first
    assert not any(part.lower().startswith(("pandas", "numpy")) for part in then[2:])
    refuses = Installer(without("pandas"))
    with pytest.raises(UserError, match=r"^no environment for Python 3.13.5 free-threaded with pandas==9: "):
        measuring(OTHER, tmp_path, print, refuses, ("pandas==9",))


def test_uv_makes_and_fills_it_where_there_is_one(tmp_path: Path) -> None:
    uv, installer, said = command(tmp_path / "commands", "uv"), Installer(), list[str]()
    measuring(OTHER, tmp_path, said.append, installer)
    made, installed = installer.calls
    assert made[:2] == [str(uv), "venv"] and OTHER.path in made
    assert installed[:3] == [str(uv), "pip", "install"]
    assert "--compile-bytecode" in installed and installed.count("--only-binary") == 4
    assert "with uv" in said[0]


def test_installing_is_kept_apart_from_the_users_own_python(tmp_path: Path) -> None:
    installer = Installer()
    measuring(OTHER, tmp_path, print, installer)
    for variables in installer.variables:
        assert variables["PYTHONPATH"] == variables["PYTHONHOME"] == variables["PYTHONPYCACHEPREFIX"] == ""
        assert "PYTHON_GIL" not in variables, "it goes on as the user set it"
    assert Path(installer.variables[-1]["TMPDIR"]).is_relative_to(tmp_path / "environments")


def test_what_is_not_available_is_left_out_and_remembered(tmp_path: Path) -> None:
    installer = Installer(without("pyarrow", "loky"))
    _, refused = measuring(OTHER, tmp_path, print, installer)
    assert refused == dict.fromkeys(("loky", "pyarrow"), "No matching distribution found")
    singles = [part for (part,) in installer.installs[1:]]
    names = [environments.re.split(r"[<>=]", part)[0] for part in singles]
    assert set(names[: len(environments.HARD)]) == set(environments.HARD), "what fails the run is tried first"
    assert "dask" in names, "without extras: what they require may be what is not available"
    assert [("<=" in part) for part in singles if part.startswith("pyarrow")] == [True, False]
    assert measuring(OTHER, tmp_path, print, Installer())[1] == refused


def test_a_newer_version_will_do_where_ours_is_not_available(tmp_path: Path) -> None:
    def refuses(requirements: Sequence[str]) -> bool:
        return any(part.startswith("numpy") and "<=" in part for part in requirements)

    assert measuring(OTHER, tmp_path, print, Installer(refuses))[1] == {}


def test_without_what_every_worker_needs_there_is_no_environment(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"every worker needs dask, which is not available for Python 3.13.5.*: No matching"
    ):
        measuring(OTHER, tmp_path, print, Installer(without("dask")))
    assert folders(tmp_path) == []


@pytest.mark.parametrize(
    "printed",
    [
        "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...)'\nERROR: No matching",
        "error: Failed to fetch: `<address>`\n  Caused by: error sending request for url",
    ],
)
def test_without_a_network_packages_are_not_tried_one_by_one(tmp_path: Path, printed: str) -> None:
    calls = list[Sequence[str]]()

    def offline(command: Sequence[str], variables: Mapping[str, str]) -> Done:
        calls.append(command)
        return done(err=printed, code=1) if "install" in command else Installer()(command, variables)

    line = "no environment for Python 3.13.5 free-threaded: the package index cannot be reached: check the network"
    with pytest.raises(UserError, match=f"^{line}$"):
        measuring(OTHER, tmp_path, print, offline)
    assert len(calls) == 2 and folders(tmp_path) == []


def test_ctrl_c_while_one_is_made_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(requirements: Sequence[str]) -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measuring(OTHER, tmp_path, print, Installer(interrupt))
    assert folders(tmp_path) == []


def test_what_is_broken_is_made_anew_and_what_killed_processes_left_is_removed(tmp_path: Path) -> None:
    folder, _ = measuring(OTHER, tmp_path, print, Installer())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    half_made, at_work = f"{folder.name}.{ended.pid}", f"{folder.name}.{os.getppid()}"
    for break_it in (lambda: (folder / "ready").unlink(), lambda: environments.binary_of(folder).unlink()):
        (folder.parent / half_made).mkdir()
        (folder.parent / at_work).mkdir(exist_ok=True)
        break_it()
        again = Installer()
        assert measuring(OTHER, tmp_path, print, again) == (folder, {})
        assert len(again.calls) == 2
        assert folders(tmp_path) == sorted([folder.name, at_work])


def test_of_two_that_make_the_same_one_the_quicker_wins(tmp_path: Path) -> None:
    def meanwhile(requirements: Sequence[str]) -> bool:
        (half_made,) = folders(tmp_path)
        whole = tmp_path / "environments" / half_made.partition(".")[0]
        environments.binary_of(whole).parent.mkdir(parents=True)
        environments.binary_of(whole).touch()
        (whole / "ready").write_text("{}")
        return False

    folder, _ = measuring(OTHER, tmp_path, print, Installer(meanwhile))
    assert folders(tmp_path) == [folder.name]


def test_a_cache_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot make .*; set GILBENCH_CACHE to another folder"):
        measuring(OTHER, tmp_path / "file", print, Installer())


def test_packages_that_an_arm_asks_for_must_be_available(tmp_path: Path) -> None:
    installer = Installer()
    python = environment("/some/python", ("pandas==3.0.3",), tmp_path, installer)
    assert installer.installs[0][0] == "pandas==3.0.3" and Path(python).exists()
    assert not any("<=" in part for part in installer.installs[0])
    with pytest.raises(UserError, match="no environment with pandas==99: No matching distribution found"):
        environment("/some/python", ("pandas==99",), tmp_path, Installer(without("pandas==99")))
    assert len(folders(tmp_path)) == 1


def played(installer: Installer) -> Run:
    """A runner whose environment is made of nothing: what should run in there runs with our own interpreter."""

    def run(command: Sequence[str], variables: Mapping[str, str]) -> Done:
        if "venv" in command or "install" in command:
            return installer(command, variables)
        return execute([sys.executable, *command[1:]], variables)

    return run


def test_workers_run_a_compiled_copy_of_our_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    said = list[str]()
    with prepared(OTHER, said.append, played(Installer(without("pyarrow")))) as software:
        code = Path(software.environment["PYTHONPATH"])
        assert list((code / "gilbench" / "measure" / "__pycache__").glob("worker.*.pyc"))
        assert (code / "gilbench" / "workloads" / "python_loops.py").is_file()
        assert not (code / "gilbench").samefile(Path(gilbench.__file__).parent)
        assert software.tag == "3.13t"
        assert software.schedulers == {} and software.lacking == {}
        assert software.machine["python_version"] == ".".join(map(str, sys.version_info[:3]))
        with Workers(60, software.environment, sys.executable) as workers:
            observed = workers(Order(Case("sleep", "tiny", "threads", 1, 2), 0, 7, "function", 0.05))
        assert observed.failure is None
    assert not code.exists()
    assert "left out: pyarrow cannot be installed for Python 3.13.5 free-threaded: No matching" in said[1]
    assert said[2].startswith("to try again with these packages, remove ")


def test_an_environment_that_cannot_run_workers_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GILBENCH_CACHE", str(tmp_path))
    error = 'Traceback (most recent call last):\n  File "x"\nModuleNotFoundError: No module named dask'

    def run(command: Sequence[str], variables: Mapping[str, str]) -> Done:
        return Installer()(command, variables) if {"venv", "install"} & set(command) else done(err=error, code=1)

    line = "Python 3.13.5 free-threaded cannot run gilbench's workers: ModuleNotFoundError: No module named dask"
    with pytest.raises(UserError, match=f"^{line}$"), prepared(OTHER, print, run):
        pass


def test_workloads_that_lack_a_module_are_reported_with_the_first_that_they_lack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = software_module.importlib.import_module

    def without_pyarrow(name: str, package: str | None = None) -> object:
        if name in ("pyarrow", "dask.dataframe"):
            raise ImportError(name)
        return real(name, package)

    monkeypatch.setattr(software_module.importlib, "import_module", without_pyarrow)
    found = software_module._lacking()
    assert set(found.values()) == {"pyarrow"}
    assert {"csv_text", "dataframe_groupby"} <= set(found)
    assert not {"sum_of_squares", "sqrt_sum", "sleep"} & set(found)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "ERROR: Could not find it\nERROR: No matching distribution found for x\n",
            "No matching distribution found for x",
        ),
        ("error: No solution found\n  cause: Because x is not there\n", "Because x is not there"),
        ("Fatal Python error: no GIL here\n\nCurrent thread\n", "Fatal Python error: no GIL here"),
        ('Traceback (most recent call last):\n  File "x"\nKeyError: 1\n', "KeyError: 1"),
        ("bad \x1b[31m\n", "bad ?[31m"),
        ("", "exit code 1"),
    ],
)
def test_the_line_that_says_why(text: str, line: str) -> None:
    assert complaint(done(err=text, code=1)) == line


def test_a_command_gets_the_users_variables_without_those_that_are_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_GIL", "1")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    code = "import json, os, sys; print(json.dumps(dict(os.environ))); sys.stderr.write('said'); sys.exit(3)"
    finished = execute([sys.executable, "-c", code], {"PYTHONPATH": "", "ADDED": "x"})
    seen = json.loads(finished.stdout)
    assert (seen["PYTHON_GIL"], seen["ADDED"], "PYTHONPATH" in seen) == ("1", "x", False)
    assert (finished.returncode, finished.stderr) == (3, "said")


@pytest.mark.serial
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX process groups")
def test_ctrl_c_ends_a_command_with_all_that_it_started(tmp_path: Path) -> None:
    code = (
        "import pathlib, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(f'{{child.pid}}.')\ntime.sleep(60)"
    )

    def interrupt() -> None:
        deadline = time.monotonic() + 30
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    waiter = threading.Thread(target=interrupt)
    waiter.start()
    with pytest.raises(KeyboardInterrupt):
        execute([sys.executable, "-c", code], {})
    waiter.join()
    child = int((tmp_path / "pid").read_text()[:-1])
    with contextlib.suppress(psutil.NoSuchProcess):
        _, alive = psutil.wait_procs([psutil.Process(child)], timeout=5)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
