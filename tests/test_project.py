import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from app import __version__

ROOT = Path(__file__).parents[1]
MEBIBYTE = 2**20
LOCKED_EXTRAS = {
    "serve": (),
    "train": ("train",),
    "gpu": ("gpu", "train"),
    "dev": ("dev",),
    "bench": ("bench",),
    "audit": ("audit",),
    "ray": ("ray",),
}
LOCKED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?P<rest>[^#]*)", re.MULTILINE)
every_lock = pytest.mark.parametrize("lock", LOCKED_EXTRAS)


def lock_text(lock: str) -> str:
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def locked_versions(lock: str) -> dict[str, Version]:
    return {found["name"]: Version(found["version"]) for found in LOCKED.finditer(lock_text(lock))}


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def tracked_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = (ROOT / name for name in listing.stdout.split("\0") if name)
    return [file for file in files if file.is_file()]


@every_lock
def test_lock_names_no_address(lock):
    assert "://" not in lock_text(lock)
    assert "--index" not in lock_text(lock)


@every_lock
def test_lock_has_hashes_for_every_requirement(lock):
    requirements = list(LOCKED.finditer(lock_text(lock)))
    assert requirements
    assert [found["name"] for found in requirements if "--hash=sha256:" not in found["rest"]] == []


@every_lock
def test_lock_fulfils_the_project_file(lock, project):
    extras = [project["optional-dependencies"][extra] for extra in LOCKED_EXTRAS[lock]]
    needed = [Requirement(line) for line in sum(extras, project["dependencies"])]
    versions = locked_versions(lock)

    unfulfilled = [
        str(requirement)
        for requirement in needed
        if versions.get(canonicalize_name(requirement.name)) not in requirement.specifier
    ]
    assert unfulfilled == [], "Run make lock."


@every_lock
def test_locks_agree_on_versions(lock):
    versions, serving = locked_versions(lock), locked_versions("serve")
    assert {name: versions.get(name) for name in serving} == serving


def test_serving_installs_no_training_framework():
    frameworks = {"tensorflow", "tensorflow-cpu", "keras", "jax", "torch"}
    assert frameworks.isdisjoint(locked_versions("serve"))


def test_newest_release_in_the_changelog_is_the_projects_version():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    releases = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    newest = next((name for name in releases if name != "Unreleased"), __version__)
    assert releases
    assert newest == __version__


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_no_tracked_file_nears_100_megabytes(tracked_files):
    assert tracked_files
    assert [file for file in tracked_files if file.stat().st_size > 95 * MEBIBYTE] == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_no_data_set_is_tracked(tracked_files):
    data = {".zip", ".jpg", ".jpeg", ".npy"}
    assert [file for file in tracked_files if file.suffix.lower() in data] == []
