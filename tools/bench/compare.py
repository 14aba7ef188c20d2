"""Our stack beside its peers: what each does for a second of processor time.

    uv run tools/bench/compare.py [--only plaintext,json] [--stacks ours,starlette]
        [--rounds 5] [--seconds 2] [--output results.json]

Each workload goes over all stacks, one at a time and in turns, so that a busy machine
harms all alike. The server has one core and the load generator another. What counts is
how many requests were served for each second that the processes of the server were on
the processor, user and system; medians of the rounds are compared. Needs wrk, h2load
(Debian's nghttp2-client) and Linux; `tools/peers.py` makes the environments.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from apps import shared
from films_database import films_database
from stacks import STACKS, Stack, serving
from workloads import WORKLOADS, Workload

WARM_UP_SECONDS = 1
LEAST_CPU_SECONDS = 0.02

# workload -> stack -> units for each second of processor time, one for each round
Results = dict[str, dict[str, list[float]]]


def main() -> None:
    """Measure, print a table and keep the raw results."""
    arguments = _arguments()
    for command in ("wrk", "h2load", "taskset"):
        if shutil.which(command) is None:
            sys.exit(f"{command} is not installed")
    stacks = [each for each in STACKS if _is_chosen(each.name, arguments.stacks)]
    workloads = [each for each in WORKLOADS if _is_chosen(each.name, arguments.only)]
    if not stacks or not workloads:
        sys.exit("nothing of that name; see --help")
    os.sched_setaffinity(0, {1})
    results: Results = {}
    needs_database = any(each.app == "films" for each in workloads)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as ended:
        folder = Path(name)
        tls = _prepare(folder)
        database = ended.enter_context(films_database()) if needs_database else ""
        for workload in workloads:
            found = _measure(workload, stacks, folder, tls, database, arguments)
            results[workload.name] = found
            _report(workload, found)
    if arguments.output:
        _keep(results, arguments.output, arguments)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join(each.name for each in WORKLOADS)
    parser.add_argument("--only", default="", help=f"workloads, of: {names}")
    parser.add_argument("--stacks", default="", help="beginnings of their names")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--output", type=Path, help="file for the raw results")
    return parser.parse_args()


def _is_chosen(name: str, chosen: str) -> bool:
    return not chosen or any(name.startswith(each) for each in chosen.split(","))


def _prepare(folder: Path) -> tuple[Path, Path]:
    """Make the files that are served and the certificate."""
    (folder / shared.SMALL_FILE).write_bytes(b"0" * 100_000)
    (folder / shared.LARGE_FILE).write_bytes(b"0" * 50_000_000)
    import trustme

    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    paths = folder / "cert.pem", folder / "key.pem"
    certificate.cert_chain_pems[0].write_to_path(paths[0])
    certificate.private_key_pem.write_to_path(paths[1])
    return paths


def _measure(
    workload: Workload,
    stacks: Sequence[Stack],
    folder: Path,
    tls: tuple[Path, Path],
    database: str,
    arguments: argparse.Namespace,
) -> dict[str, list[float]]:
    variables = {
        "BENCH_FILES": str(folder),
        "BENCH_DATABASE": database,
        **workload.variables,
    }
    found: dict[str, list[float]] = {}
    left_out: dict[str, str] = {}
    for _ in range(arguments.rounds):
        for stack in stacks:
            if not _can(stack, workload) or stack.name in left_out:
                continue
            try:
                rate = _rate(workload, stack, folder, tls, variables, arguments.seconds)
            except Exception as error:  # one peer's failure is shown, the rest go on
                left_out[stack.name] = f"{type(error).__name__}: {error}"
                continue
            found.setdefault(stack.name, []).append(rate)
    for name, why in left_out.items():
        print(f"{workload.name}: {name} failed: {why[-300:]}", file=sys.stderr)
    return found


def _can(stack: Stack, workload: Workload) -> bool:
    if workload.http2 and not stack.http2:
        return False
    if workload.tls and not stack.tls:
        return False
    if workload.app == "films" and not stack.has_films:
        return False
    return workload.name not in stack.lacks


def _rate(
    workload: Workload,
    stack: Stack,
    folder: Path,
    tls: tuple[Path, Path],
    variables: dict[str, str],
    seconds: float,
) -> float:
    app = f"{stack.framework}_{workload.app}"
    with serving(stack, app, variables, tls if workload.tls else None) as server:
        if workload.check is not None:
            workload.check(server)
        workload.load(server, WARM_UP_SECONDS, folder)
        before = server.cpu_seconds()
        count = workload.load(server, seconds, folder)
        used = server.cpu_seconds() - before
    return count / max(used, LEAST_CPU_SECONDS)


def _report(workload: Workload, found: dict[str, list[float]]) -> None:
    print(f"\n{workload.name}: {workload.unit} for each second of processor time")
    ours = found.get("ours [fast]")
    base = statistics.median(ours) if ours else None
    ordered = sorted(found, key=lambda name: -statistics.median(found[name]))
    for name in ordered:
        rates = found[name]
        median = statistics.median(rates)
        spread = f"({min(rates):,.0f} .. {max(rates):,.0f})"
        ratio = f"ours is x{base / median:.2f}" if base and median else ""
        print(f"  {name:<22}{median:>10,.0f}  {spread:<22}{ratio}", flush=True)


def _keep(results: Results, path: Path, arguments: argparse.Namespace) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "python": platform.python_version(),
        "system": platform.system(),
        "processors": os.cpu_count(),
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "results": results,
    }
    path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
