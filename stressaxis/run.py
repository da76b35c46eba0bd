"""One experiment from its config to the finished results folder."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from core.problems import Problem, problems_table
from stressaxis.arenas import ARENAS_TASK, arena_tasks, with_found_arenas
from stressaxis.atomic import read_object, write_text
from stressaxis.engine import Outcome, Task, run_tasks
from stressaxis.eventlog import EventLog
from stressaxis.executors import Workers, cluster_workers, slurm_workers
from stressaxis.fingerprint import FingerprintMemory, canonical_json, digest
from stressaxis.inputs import InputFile, fingerprint_files
from stressaxis.ledger import Ledger
from stressaxis.lock import only_run
from stressaxis.plan import Plan, check_names, plan_run
from stressaxis.progress import RunProgress
from stressaxis.provenance import machine, versions
from stressaxis.publish import publish
from stressaxis.regions import RegionMemory
from stressaxis.report.meanwhile import Meanwhile
from stressaxis.stepfiles import read_facts, read_problems
from stressaxis.steps.probe import FACTS
from stressaxis.steps.score import TRACKS_FOLDER
from stressaxis.store import Store
from stressaxis.system_libraries import check_system_libraries

if TYPE_CHECKING:
    from configs.schema import Experiment
    from configs.tables import Tables

__all__ = ["LEDGER", "MEMORY", "RunOutcome", "probe_tasks", "results_folder", "run_experiment"]

#: Files in the folder ``.work`` of the results: what each result was made from, and fingerprints of inputs.
LEDGER, MEMORY = "tasks.json", "fingerprints.json"
_REGIONS = "regions.json"
_PUBLISHED, _REPORT = "published.json", "report.txt"

#: From so many trials on workers make parts of the report; each has to load the libraries, too.
_SHARED_FROM = 100
_DRAWING = "stressaxis.report.build"

_TABLE_STEPS = (ARENAS_TASK, "animals", "serum", "statistics", "association", "people")


@dataclass(frozen=True)
class RunOutcome:
    """What a run left.

    Parameters
    ----------
    results
        The results folder.
    failures
        Problems of severity ``error``.
    summary
        What to tell the person at the terminal.
    counts
        How many tasks were ``done``, ``reused``, ``failed``.
    """

    results: Path
    failures: list[Problem]
    summary: str
    counts: Mapping[str, int] = field(default_factory=dict)


def run_experiment(
    config: Path,
    *,
    data_dir: Path | None = None,
    out: Path | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    console: Console,
    log: EventLog | None = None,
    verify: bool = False,
    awaited: Mapping[str, str] | None = None,
) -> RunOutcome:
    """Run an experiment, or what of it is not done yet.

    Parameters
    ----------
    config
        Experiment file.
    data_dir
        Folder that its paths start from; by default the config's own.
    out
        Results folder; by default ``results/NAME``.
    workers
        Number of processes; by default one per core.
    scheduler
        Address of a Dask scheduler (``tcp://host:port``) whose workers are used instead.
    console
        Where progress is shown.
    log
        Where progress goes instead, as JSON.
    verify
        Read every input again and compare it with what the run before had read.
    awaited
        Recordings not to be used yet: name to reason.

    Raises
    ------
    ConfigError
        With every mistake of the config and its tables, before anything is written.
    InputError
        If the results folder cannot be used.
    """
    import configs
    from configs.tables import read_tables

    check_system_libraries()
    experiment = configs.load(config, data_dir=data_dir)
    check_names(experiment)
    tables = read_tables(experiment)
    results = results_folder(experiment, out)
    work = results / ".work"
    with only_run(work):
        try:
            with _workers(experiment, workers, scheduler, logs=work / "jobs") as pool:
                run = _Run(experiment, tables, results, pool, console)
                run.log, run.verify, run.awaited = log, verify, awaited or {}
                return run.finish()
        except BaseException:
            # What was half-written when the run was stopped; only now is nobody left who writes.
            Store(work / "store").sweep()
            raise


def _workers(experiment: Experiment, count: int | None, scheduler: str | None, *, logs: Path) -> Workers:
    if scheduler is not None:
        return cluster_workers(scheduler)
    if experiment.engine.kind == "slurm":
        return slurm_workers(experiment.engine, logs=logs.absolute())
    return Workers(count)


def results_folder(experiment: Experiment, out: Path | None) -> Path:
    """Where an experiment's results go."""
    return out if out is not None else Path("results") / experiment.name


class _Run:
    """The stages of one run, in order."""

    def __init__(
        self, experiment: Experiment, tables: Tables, results: Path, workers: Workers, console: Console
    ) -> None:
        self.experiment, self.tables, self.results = experiment, tables, results
        self.workers, self.console = workers, console
        self.log: EventLog | None = None
        self.verify = False
        self.awaited: Mapping[str, str] = {}
        self.verified = ""
        self.work = results / ".work"
        # Workers on other machines know nothing of this process's working folder.
        self.store = Store((self.work / "store").absolute() if workers.remote else self.work / "store")
        self.ledger = Ledger(self.work / LEDGER)
        self.problems: list[Problem] = list(tables.problems)
        self.listed = problems_table(())
        trials = 0 if tables.trials is None else len(tables.trials)
        # Workers on other machines are let go of rather than asked to draw.
        self.shared = trials >= _SHARED_FROM and workers.count > 1 and not workers.remote
        self.meanwhile = Meanwhile(workers.submit if self.shared else None)
        self.script: Callable[[], str] | None = None
        self.started = dt.datetime.now(dt.UTC)
        self.clock = time.monotonic()

    def finish(self) -> RunOutcome:
        self.store.sweep()
        if self.log is not None:
            self.log.write("run_started", progress=0.0, results=self.results)
        recordings, serum_files, people_files = self._inputs()
        provenance = self._provenance([*recordings.values(), *serum_files, *people_files])
        self._write_provenance(provenance)
        try:
            plan, outcomes = self._work(recordings, serum_files, people_files)
        finally:
            with suppress(OSError):
                self.ledger.save()
        self.problems += plan.problems
        self.problems += [outcome.problem for outcome in outcomes.values() if outcome.problem is not None]
        if any(outcome.state == "done" for outcome in outcomes.values()):
            self._begin_report()
        changed = self._publish(outcomes)
        counts = {state: sum(o.state == state for o in outcomes.values()) for state in ("done", "reused", "failed")}
        return self._report(provenance, counts, changed)

    def _work(
        self,
        recordings: Mapping[str, InputFile],
        serum_files: Sequence[InputFile],
        people_files: Sequence[InputFile],
    ) -> tuple[Plan, dict[str, Outcome]]:
        probed = self._tasks("opening recordings", probe_tasks(recordings))
        facts = self._facts(probed)
        seeking = arena_tasks(self.experiment, self.tables.trials, recordings=recordings, facts=facts)
        sought = self._tasks("finding arenas", seeking) if seeking else {}
        places = [self.store.path(outcome.key) for outcome in sought.values() if outcome.state != "failed"]
        experiment = with_found_arenas(self.experiment, next(iter(places), None))
        regions = None if experiment.behavior is None else RegionMemory(experiment.behavior, self.work / _REGIONS)
        plan = plan_run(
            experiment,
            self.tables,
            recordings=recordings,
            facts=facts,
            serum_files=serum_files,
            people_files=people_files,
            regions=regions,
        )
        if regions is not None:
            regions.save()
        outcomes = probed | sought | self._tasks("tracking, scoring, statistics", plan.tasks)
        self.ledger.keep_only(set(outcomes))
        return plan, outcomes

    def _inputs(self) -> tuple[dict[str, InputFile], list[InputFile], list[InputFile]]:
        experiment, trials = self.experiment, self.tables.trials
        names = [] if trials is None else sorted(set(trials["file"]) - set(self.awaited))
        self.problems += [
            Problem(code="recording_awaited", file=name, message=why, action="not used yet")
            for name, why in sorted(self.awaited.items())
        ]
        memory = FingerprintMemory(self.work / MEMORY)
        recordings, unreadable = fingerprint_files(
            {name: self._locate(name) for name in names}, memory=memory, workers=self.workers, reread=self.verify
        )
        self.problems += unreadable
        whole: list[list[InputFile]] = []
        for section in (experiment.serum, experiment.people):
            names = [] if section is None else list(section.paths)
            files, missing = fingerprint_files(
                {name: self._locate(name) for name in names},
                memory=memory,
                workers=self.workers,
                reread=self.verify,
            )
            self.problems += missing
            # A serum table without one of its plates would be another experiment.
            whole.append(list(files.values()) if len(files) == len(names) else [])
        memory.save()
        if self.verify:
            self._compare([*recordings.values(), *whole[0], *whole[1]])
        return recordings, whole[0], whole[1]

    def _locate(self, name: str) -> Path:
        path = self.experiment.locate(name)
        return path.absolute() if self.workers.remote else path

    def _compare(self, inputs: Sequence[InputFile]) -> None:
        """What was read now against what the run before had read."""
        before = {row["path"]: row["blake2"] for row in self._provenance_before().get("inputs", [])}
        same = [file for file in inputs if before.get(file.name) == file.fingerprint]
        changed = [file.name for file in inputs if before.get(file.name, file.fingerprint) != file.fingerprint]
        self.problems += [
            Problem(
                code="input_differs", file=name, message="not what the run before had read", action="used as it is now"
            )
            for name in changed
        ]
        gone = sorted(set(before) - {file.name for file in inputs})
        new = len(inputs) - len(same) - len(changed)
        self.verified = (
            f"verified: {len(same)} inputs as before, {len(changed)} changed, {new} new, {len(gone)} no longer read"
            + "".join(f"\n  {what}: {name}" for what, names in (("changed", changed), ("gone", gone)) for name in names)
        )

    def _tasks(self, title: str, tasks: Sequence[Task]) -> dict[str, Outcome]:
        with RunProgress(tasks, title=title, console=self.console, log=self.log) as progress:
            return run_tasks(
                tasks,
                store=self.store,
                workers=self.workers,
                on_end=progress.ended,
                on_work=progress.worked,
                ledger=self.ledger,
            )

    def _facts(self, probed: Mapping[str, Outcome]) -> dict[str, dict[str, Any]]:
        return {
            outcome.task.file: read_facts(self.store.path(outcome.key) / FACTS)
            for outcome in probed.values()
            if outcome.state != "failed"
        }

    def _publish(self, outcomes: Mapping[str, Outcome]) -> list[str]:
        files: dict[str, Path] = {}
        for name, outcome in outcomes.items():
            if outcome.state == "failed":
                continue
            place = self.store.path(outcome.key)
            self.problems += read_problems(place)
            if name in _TABLE_STEPS:
                files |= {f"tables/{path.name}": path for path in sorted(place.glob("*.csv"))}
            if name.startswith("score "):
                files |= {f"tracks/{path.name}": path for path in sorted((place / TRACKS_FOLDER).glob("*.nc"))}
        changed = publish(files, self.results, listing=self.work / _PUBLISHED, reread=self.verify)
        self.listed = problems_table(self.problems)
        if _write_if_new(self.results / "problems.csv", self.listed.to_csv(index=False, lineterminator="\n")):
            changed.append("problems.csv")
        return changed

    def _provenance(self, inputs: Sequence[InputFile]) -> dict[str, Any]:
        from configs.declaration import declared, resolved

        declaration = declared(self.experiment)
        config = resolved(self.experiment)
        return {
            "name": self.experiment.name,
            "stressaxis_version": versions()["stressaxis"],
            "started": self.started.isoformat(timespec="seconds"),
            "finished": None,
            "seed": self.experiment.seed,
            "config": config,
            "declared": declaration,
            "declared_before": self._declared_before(declaration["fingerprint"]),
            "inputs": [
                {"path": file.name, "bytes": file.mark.size, "blake2": file.fingerprint}
                for file in sorted(inputs, key=lambda file: file.name)
            ],
            "versions": versions(),
            "machine": machine(),
            "simulated": self._simulated(),
        }

    def _declared_before(self, fingerprint: str) -> list[str]:
        """Fingerprints of other declared analyses that this results folder was scored under before."""
        old = self._provenance_before()
        known = [*old.get("declared_before", []), old.get("declared", {}).get("fingerprint", fingerprint)]
        return [earlier for earlier in dict.fromkeys(known) if earlier != fingerprint]

    def _provenance_before(self) -> dict[str, Any]:
        return read_object(self.results / "provenance.json")

    def _simulated(self) -> dict[str, Any] | None:
        """What a simulated experiment states about its own truth, beside its tables."""
        file = self.experiment.base / "simulated.json"
        try:
            stated: dict[str, Any] = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return stated

    def _write_provenance(self, provenance: Mapping[str, Any]) -> None:
        text = json.dumps(json.loads(canonical_json(provenance)), indent=2, sort_keys=True, ensure_ascii=False)
        write_text(self.results / "provenance.json", text + "\n")

    def _report(self, provenance: dict[str, Any], counts: Mapping[str, int], changed: Sequence[str]) -> RunOutcome:
        report = self.results / "report.html"
        provenance["tasks"] = dict(counts)
        provenance["finished"] = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        provenance["duration_s"] = round(time.monotonic() - self.clock, 1)
        self._write_provenance(provenance)
        made_from = self._report_basis(provenance)
        if changed or not report.exists() or _read_text(self.work / _REPORT) != made_from:
            self._write_report()
            write_text(self.work / _REPORT, made_from)
        failures = [problem for problem in self.problems if problem.severity == "error"]
        if self.log is not None:
            self.log.write("run_finished", progress=1.0, duration_s=provenance["duration_s"], tasks=dict(counts))
        return RunOutcome(self.results, failures, self._summary(counts, failures), counts)

    def _begin_report(self) -> None:
        """What rests on no table: workers load the libraries and make the script while the tables are published."""
        if self.shared:
            for _ in range(self.workers.count):
                self.workers.prepare([_DRAWING])
            from stressaxis.report.build import vega_script

            self.script = self.meanwhile.begin(vega_script)

    def _write_report(self) -> None:
        from stressaxis.prism import write_prism_tables
        from stressaxis.report.build import build_report

        started = time.monotonic()
        prism = self.meanwhile.begin(write_prism_tables, self.results)
        build_report(self.results, meanwhile=self.meanwhile, vega=self.script)
        prism()
        if self.log is not None:
            seconds = time.monotonic() - started + self.meanwhile.spared_s
            self.log.write("report_written", progress=1.0, seconds=round(seconds, 3))

    def _report_basis(self, provenance: Mapping[str, Any]) -> str:
        """What the report is made from; a run that was stopped while it wrote the report has published all before."""
        published = _read_text(self.work / _PUBLISHED), _read_text(self.results / "problems.csv")
        return digest([published, provenance["config"], provenance["versions"]])

    def _summary(self, counts: Mapping[str, int], failures: Sequence[Problem]) -> str:
        lines = [f"report: {self.results / 'report.html'}"]
        lines.append(f"{counts['done']} tasks done, {counts['reused']} reused, {counts['failed']} failed")
        if self.verified:
            lines.append(self.verified)
        # As listed there: what is said twice stands once.
        others = int((self.listed["severity"] != "error").sum())
        if others:
            lines.append(f"{others} warnings and exclusions: {self.results / 'problems.csv'}")
        lines += [f"failed: {problem.message}" for problem in failures]
        return "\n".join(lines)


def probe_tasks(recordings: Mapping[str, InputFile]) -> list[Task]:
    """One task for each recording: what it says about itself."""
    return [
        Task(
            id=f"open {name}",
            function="stressaxis.steps.probe:probe_recording",
            packages=("behavior",),
            options={"path": str(file.path)},
            key_options={},
            inputs=(file.fingerprint,),
            marks={str(file.path): file.mark},
            file=name,
        )
        for name, file in recordings.items()
    ]


def _read_text(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _write_if_new(path: Path, text: str) -> bool:
    if _read_text(path) == text:
        return False
    write_text(path, text)
    return True
