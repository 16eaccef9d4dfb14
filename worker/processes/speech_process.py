"""The process of what takes minutes: transcripts, also of sessions that run, summaries, recordings in other forms.

It does nothing else: engines and encoders take whole cores. It ends when there has been nothing to do for long, and its
supervisor starts it again when there is.
"""

import asyncio
import socket

from sessions.settings import Settings
from store.database.database import Database
from store.database.database_access import DatabaseAccess
from store.installation.storage_identity import StorageIdentity
from store.jobs.deferring import MAKE_FILES, REMAKE, SPEECH_QUEUE, SUMMARIZE, TRANSCRIBE
from store.jobs.jobs import SessionTask, run_jobs
from store.objects.objects import Objects
from store.outputs.freeze import Freezes
from store.outputs.live_transcripts import LiveTranscripts
from store.outputs.recording_files import RecordingFiles
from store.outputs.summaries import Summaries
from store.outputs.transcript_versions import TranscriptVersions
from store.outputs.transcripts import Transcripts
from store.sessions.log.session_log import SessionLog
from store.sessions.queries import SessionQueries
from store.sweeping.demand import Demand
from worker.outputs.leftovers import Leftovers
from worker.outputs.openai_endpoint import OpenAiEndpoint
from worker.outputs.product.file_maker import FileMaker
from worker.outputs.speech.engines.choice import SpeechEngines
from worker.outputs.speech.live.live_transcriber import LiveTranscriber
from worker.outputs.speech.remaker import RemakingStore, TranscriptRemaker
from worker.outputs.speech.transcriber import Transcriber
from worker.outputs.summary.chat import ChatSummarizer
from worker.outputs.summary.extractive import ExtractiveSummarizer
from worker.outputs.summary.summarizer import Summarizer
from worker.outputs.summary.writer import SummaryWriter
from worker.vitals.activity import Activity

_POOL_SIZE = 4  # jobs and followers of live sessions
_GRACE_SECONDS = 2.0  # interrupted work is done again


async def run_speech_process(
    settings: Settings, access: DatabaseAccess, objects: Objects, stopping: asyncio.Event
) -> None:
    """Transcribe, summarize and make files until `stopping` is set, or there has been nothing to do for long."""
    async with access.open("parley-speech", pool_size=_POOL_SIZE) as db:
        engines, activity, host = SpeechEngines(settings), Activity(), socket.gethostname()
        follower = LiveTranscriber(
            LiveTranscripts(db),
            SessionLog(db),
            objects,
            engines,
            data_dir=settings.data_dir,
            host=host,
            activity=activity,
        )
        demand = Demand(db, host, follows=engines.name != "none")

        async def is_wanted() -> bool:
            return (await demand.look()).speech

        jobs = run_jobs(
            access.url,
            _tasks(settings, db, objects, engines),
            stopping,
            direct_url=access.direct_url,
            queue=SPEECH_QUEUE,
            grace_seconds=_GRACE_SECONDS,
            busy=activity.busy,
        )
        idle = activity.end_when_idle(stopping, is_wanted, after_seconds=settings.idle_process_seconds)
        async with asyncio.TaskGroup() as group:
            group.create_task(idle, name="idleness")
            group.create_task(follower.run(stopping), name="live transcripts")
            group.create_task(jobs, name="jobs")


def _tasks(settings: Settings, db: Database, objects: Objects, engines: SpeechEngines) -> dict[str, SessionTask]:
    """What each of its jobs calls."""
    transcripts, log, files, freezes = Transcripts(db), SessionLog(db), RecordingFiles(db), Freezes(db)
    versions, sessions = TranscriptVersions(db), SessionQueries(db)
    confirm, leftovers = StorageIdentity(db, objects).confirm, Leftovers(db, objects)
    temporary = settings.data_dir / "tmp"
    transcriber = Transcriber(
        transcripts,
        freezes,
        log,
        objects,
        confirm,
        engines,
        LiveTranscripts(db),
        leftovers,
        deadline_seconds=settings.speech_deadline_seconds,
    )
    kept = RemakingStore(versions, transcripts, files, sessions, log, objects, confirm, leftovers)
    remaker = TranscriptRemaker(kept, settings, engines, temporary=temporary)
    summarizer = _chosen_summarizer(settings)
    writer = SummaryWriter(Summaries(db), transcripts, sessions, objects, confirm, leftovers, summarizer)
    maker = FileMaker(files, freezes, objects, confirm, leftovers, temporary=temporary)
    return {
        TRANSCRIBE: transcriber.transcribe,
        REMAKE: remaker.remake,
        SUMMARIZE: writer.summarize,
        MAKE_FILES: maker.make,
    }


def _chosen_summarizer(settings: Settings) -> Summarizer:
    """The chat endpoint when there is one, else the embedded summarizer."""
    if settings.summary_url is None or settings.summary_model is None:
        return ExtractiveSummarizer()
    return ChatSummarizer(OpenAiEndpoint(settings.summary_url, settings.summary_key), settings.summary_model)
