"""The operations that read what is made from a session: transcript and summary."""

from control_api.http.openapi.operation import Answer, Operation, command
from control_api.http.requests.query_parameters import integer
from control_api.outputs.transcripts import examples, remaking_routes, routes, summary_routes
from control_api.outputs.transcripts.models import (
    SummaryResource,
    TranscribeRequest,
    TranscriptResource,
    TranscriptRunResource,
)
from control_api.sessions.one_session import ONE_SESSION

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
        query=(integer("version", "One of its versions. Default: the newest.", least=1, most=1_000_000),),
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
        errors=("not_acceptable", "transcript.none"),
    ),
    Operation(
        name="remake_transcript",
        method="POST",
        path=ONE_SESSION + "/transcript",
        tag=_TAG,
        summary="Make the transcript anew, with another engine or language",
        description=(
            "Starts a run that recognizes the speech again, from participants' files if recording.tracks was set, "
            "else from the mix. The version that it makes is served when it is whole; older ones are kept "
            "(`?version=`). In a version that was made from the mix, speakers are known where one person alone was "
            "heard at that time, and null elsewhere. While a run is going on, no other is started: the answer is that "
            "run. Messages and events keep what was recognized first."
        ),
        scope="sessions:write",
        body=TranscribeRequest,
        body_required=False,
        request_examples={"another engine": {"engine": "openai", "language": "en"}},
        handler=remaking_routes.remake_transcript,
        answers=(
            Answer(202, "The run that was started, or is going on.", TranscriptRunResource, examples.TRANSCRIPT_RUN),
        ),
        errors=("transcript.not_ready", "audio.not_ready", "audio.none"),
    ),
    Operation(
        name="get_transcript_run",
        method="GET",
        path=ONE_SESSION + "/transcript/run",
        tag=_TAG,
        summary="Get how the last making of the transcript anew went",
        description="404 transcript.none: it was never made anew.",
        scope="sessions:read",
        handler=remaking_routes.get_transcript_run,
        answers=(Answer(200, "The last run.", TranscriptRunResource, examples.TRANSCRIPT_RUN),),
        errors=("transcript.none",),
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
