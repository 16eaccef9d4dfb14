"""The operations that read what is made from a session: transcript and summary."""

from control_api.http.openapi.operation import Answer, Operation, command
from control_api.sessions.one_session import ONE_SESSION
from control_api.transcripts import examples, routes, summary_routes
from control_api.transcripts.models import SummaryResource, TranscriptResource

_TAG = "Transcripts"

TRANSCRIPT_OPERATIONS: tuple[Operation, ...] = (
    Operation(
        name="get_transcript",
        method="GET",
        path=ONE_SESSION + "/transcript",
        tag=_TAG,
        summary="Get the transcript: who said or wrote what",
        description=(
            "In the order of time: transcriptions that agents publish in the room, chat, messages, and speech "
            "recognized on each participant's own track, once the session has ended or, with `transcription.mode: "
            "live`, while it goes on. Of somebody whose words an agent publishes nothing else is shown."
        ),
        scope="sessions:read",
        handler=routes.get_transcript,
        answers=(
            Answer(
                200,
                "The transcript, as complete as it is by now.",
                TranscriptResource,
                examples.TRANSCRIPT,
                media_types={
                    "text/vtt": "WEBVTT\n\n1\n00:00:01.180 --> 00:00:04.520\n<v Alice>Hi Bob, can you hear me?\n",
                    "application/x-subrip": "1\n00:00:01,180 --> 00:00:04,520\nAlice: Hi Bob, can you hear me?\n",
                    "text/plain": "[00:00:01] Alice: Hi Bob, can you hear me?\n",
                },
            ),
        ),
        errors=("not_acceptable",),
    ),
    Operation(
        name="get_summary",
        method="GET",
        path=ONE_SESSION + "/summary",
        tag=_TAG,
        summary="Get the summary, and how its last run went",
        description="A run starts by itself when the transcript of an ended session is complete.",
        scope="sessions:read",
        handler=summary_routes.get_summary,
        answers=(Answer(200, "The summary.", SummaryResource, examples.SUMMARY),),
        errors=("storage.unavailable",),
    ),
    command(
        name="regenerate_summary",
        path=ONE_SESSION + "/summary",
        tag=_TAG,
        summary="Summarize again",
        description="Starts a run from the transcript as it is now. While a run is going on, no other is started.",
        scope="sessions:write",
        handler=summary_routes.regenerate_summary,
        answers=(
            Answer(202, "The run that was started, or is going on.", SummaryResource, examples.GENERATING_SUMMARY),
        ),
        errors=("storage.unavailable",),
    ),
)
