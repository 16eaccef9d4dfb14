"""CPU and memory per session while recording: Parley, the SDK's floor and livekit-agents, side by side."""

import contextlib
import math
from collections.abc import Callable, Sequence

from audio.pcm import SAMPLE_RATE
from bench.contenders.agents import agents
from bench.contenders.contender import Entered
from bench.contenders.floor import floor
from bench.contenders.measurement import Measurement, PartCost, measure
from bench.contenders.parley import RECORDER_PART, WORKER_PART, parley
from bench.measuring.machine import describe
from bench.measuring.spread import median, median_ratio
from bench.measuring.table import print_goal, print_note, print_table, print_title
from bench.options import Options
from bench.scenes.database import fresh_database, postgres
from bench.scenes.parley_stack import ParleyApi, parley_api
from bench.scenes.rooms import talkers
from parley.servers.livekit_program import find_or_build
from parley.servers.livekit_server import LiveKitServer
from sessions.settings import Settings
from tools.peers.peer_environment import NoPeerError, agents_python, agents_version, sdk_version
from worker.room.livekit.audio import FRAME_MS

FLOOR, PARLEY, AGENTS = "floor", "parley", "agents"
_MACHINE_LIMIT = 0.70
_AIM = 0.66  # of the machine: a little below the limit, as the estimate is linear

Runs = dict[str, list[Measurement]]


class RecordingBench:
    """Measures the contenders one after the other, each in rooms with one talker."""

    def __init__(self, options: Options, server: LiveKitServer, api: ParleyApi, database_url: str) -> None:
        self._options = options
        self._server = server
        self._api = api
        self._database_url = database_url
        self._per_process = Settings.model_fields["sessions_per_process"].default
        self._agents_python = agents_python()

    def run(self) -> None:
        """Print a table for `options.sessions` and one for as many as the machine bears."""
        count = self._options.sessions
        runs = self._side_by_side({FLOOR: count, PARLEY: count, AGENTS: count})
        self._print(f"recording: {count} sessions", dict.fromkeys(runs, count), runs)
        if self._options.quick:
            return
        counts = {key: min(_fitting(runs[key], count), self._options.most_sessions) for key in runs}
        counts[FLOOR] = counts[PARLEY]
        title = f"recording: as many sessions as stay under {_MACHINE_LIMIT:.0%} of the machine"
        self._print(title, counts, self._side_by_side(counts))

    def _side_by_side(self, counts: dict[str, int]) -> Runs:
        runs: Runs = {key: [] for key in counts}
        for number in range(self._options.rounds):
            order = list(counts) if number % 2 == 0 else list(reversed(counts))
            for key in order:
                runs[key].append(self._measure(key, counts[key], number))
        return runs

    def _measure(self, key: str, sessions: int, number: int) -> Measurement:
        options = self._options
        with talkers(self._server, sessions, options.folder), self._contender(key, sessions) as contender:
            done = measure(
                contender,
                sessions,
                settle_seconds=options.settle_seconds,
                window_seconds=options.window_seconds,
            )
            cost = done.parts[contender.name]
            print_note(
                f"round {number + 1}, {contender.name}: {cost.cpu_percent:.2f} % of a core, {cost.added_uss:.1f} MB "
                f"per session; machine {done.busy.machine_percent:.0f} % busy"
            )
        return done

    def _contender(self, key: str, sessions: int) -> Entered:
        processes = math.ceil(sessions / self._per_process)
        folder = self._options.folder
        made: dict[str, Callable[[], Entered]] = {
            FLOOR: lambda: floor(self._server, folder, processes=processes, sample_rate=SAMPLE_RATE, frame_ms=FRAME_MS),
            PARLEY: lambda: parley(
                self._server,
                self._api,
                self._database_url,
                folder,
                processes=processes,
                heartbeat_seconds=self._options.heartbeat_seconds,
            ),
            AGENTS: lambda: agents(
                self._server, folder, self._agents_python, sample_rate=SAMPLE_RATE, frame_ms=FRAME_MS
            ),
        }
        return made[key]()

    def _print(self, title: str, counts: dict[str, int], runs: Runs) -> None:
        print_title(title)
        print_note(describe())
        rows = [_row(name, counts[key], runs[key]) for key in runs for name in runs[key][0].parts]
        print_table(
            (
                "median per session",
                "sessions",
                "CPU % of a core",
                "added USS MB",
                "added PSS MB",
                "total USS/n MB",
                "total PSS/n MB",
                "audio received",
                "machine busy",
                "by others",
            ),
            rows,
        )
        print_note(f"{len(runs[PARLEY])} alternating rounds of {self._options.window_seconds:g} s.")
        print_note("added: what the sessions added to the processes' memory without a session, divided by them.")
        print_note("total/n: all memory of the processes, divided by the sessions. USS leaves out what they share with")
        print_note("each other (livekit-agents: its fork server's preloaded models), PSS counts it once.")
        print_note("Not counted: talkers, LiveKit server, Parley's API and PostgreSQL; they are in 'machine busy'.")
        print_note(
            f"Parley and floor: SDK {sdk_version()}, {math.ceil(counts[PARLEY] / self._per_process)} recorder "
            f"process(es); frames of {FRAME_MS} ms at {SAMPLE_RATE} Hz in all of them."
        )
        _goals(counts, runs)


def bench_recording(options: Options) -> None:
    """Run the benchmark."""
    try:
        agents_python()
    except NoPeerError as error:
        print_note(f"livekit-agents can't be measured: {error}")
        return
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(LiveKitServer(find_or_build(print), options.folder / "livekit"))
        maintenance_url = stack.enter_context(postgres(options.database_url, options.folder))
        database_url = stack.enter_context(fresh_database(maintenance_url))
        api = stack.enter_context(parley_api(database_url, options.folder))
        RecordingBench(options, server, api, database_url).run()


def _fitting(measured: Sequence[Measurement], sessions: int) -> int:
    """How many sessions keep the machine below the limit, judged by what `sessions` cost; at least `sessions`."""
    used = median([one.busy.machine_percent - one.busy.strangers_percent for one in measured]) / 100
    return max(int(sessions * _AIM / used), sessions) if used > 0 else sessions


def _row(name: str, sessions: int, measured: Sequence[Measurement]) -> tuple[str, ...]:
    parts = [one.parts[name] for one in measured]
    return (
        name,
        str(sessions),
        f"{median([part.cpu_percent for part in parts]):.2f}",
        f"{median([part.added_uss for part in parts]):.1f}",
        f"{median([part.added_pss for part in parts]):.1f}",
        f"{median([part.total_uss for part in parts]):.1f}",
        f"{median([part.total_pss for part in parts]):.1f}",
        f"{median([one.received for one in measured]):.1%}",
        f"{median([one.busy.machine_percent for one in measured]):.0f} %",
        f"{median([one.busy.strangers_percent for one in measured]):.0f} %",
    )


def _goals(counts: dict[str, int], runs: Runs) -> None:
    def part(key: str, name: str | None = None) -> list[PartCost]:
        return [one.parts[name or next(iter(one.parts))] for one in runs[key]]

    recorder, worker = part(PARLEY, RECORDER_PART), part(PARLEY, WORKER_PART)
    floor_parts, peers = part(FLOOR), part(AGENTS)
    peer = f"livekit-agents {agents_version()}"
    ours = "Parley's recorders"
    whole = "Parley's whole worker"
    print_goal(f"CPU, {ours} / SDK floor", _ratio(recorder, floor_parts, "cpu_percent"), at_most=1.25)
    print_goal(f"MB per session, {ours}, added USS", median([one.added_uss for one in recorder]), at_most=8)
    print_goal(f"MB per session, {ours}, total USS/n", median([one.total_uss for one in recorder]), at_most=8)
    print_goal(f"CPU, {peer} / {whole}", _ratio(peers, worker, "cpu_percent"), at_least=3)
    print_goal(f"added USS, {peer} / {whole}", _ratio(peers, worker, "added_uss"), at_least=10)
    print_goal(f"total PSS/n, {peer} / {whole}", _ratio(peers, worker, "total_pss"), at_least=10)
    print_goal(f"total PSS/n, {peer} / {ours}", _ratio(peers, recorder, "total_pss"), at_least=10)
    for key, measured in runs.items():
        busy = median([one.busy.machine_percent for one in measured])
        if busy > 100 * _MACHINE_LIMIT:
            print_note(f"CAUTION: {key} at {counts[key]} sessions: the machine was {busy:.0f} % busy.")
        if (received := median([one.received for one in measured])) < 0.99:
            print_note(f"CAUTION: {key} at {counts[key]} sessions received only {received:.1%} of the audio.")


def _ratio(ours: Sequence[PartCost], theirs: Sequence[PartCost], what: str) -> float:
    return median_ratio([getattr(one, what) for one in ours], [getattr(one, what) for one in theirs])
