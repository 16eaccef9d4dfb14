"""What the embedded summarizer makes of conversations: said by them, told briefly, in any language."""

import pytest

from sessions.texts.transcript import TranscriptSegment
from worker.outputs.summary.extractive import ExtractiveSummarizer
from worker.outputs.summary.summarizer import Gist

CALL = (
    ("alice", "Hello Bob, can you hear me? The checkout of the shop has been slow since Monday."),
    ("bob", "Yes, I hear you. How slow is it?"),
    ("alice", "A page takes nine seconds, and customers leave. I think it is the database."),
    ("bob", "Okay. I will look at the slow queries of the database this afternoon and send you a list by five."),
    ("alice", "Thanks. Please also check whether the backup still runs at noon."),
    ("bob", "It does. I'll move the backup to the night, then the database has its rest."),
    ("alice", "Great, bye."),
)


async def summarized(*turns: tuple[str, str], language: str | None = "en") -> Gist:
    """The gist of a conversation."""
    segments = [
        TranscriptSegment(n, who.title(), who, "user", text, n * 1000, n * 1000 + 900, True, None, None, "speech")
        for n, (who, text) in enumerate(turns, start=1)
    ]
    return await ExtractiveSummarizer().summarize(segments, language)


async def test_a_call_is_told_by_what_it_was_about() -> None:
    """The title is a statement of theirs, no question and no greeting; promises are action items."""
    gist = await summarized(*CALL)
    assert gist.title == "The checkout of the shop has been slow since Monday"
    assert gist.summary.startswith("Alice: The checkout of the shop has been slow since Monday. ")
    assert all(not point.endswith("?") and "Hello" not in point and "bye" not in point for point in gist.key_points)
    assert gist.action_items == (
        "Bob: I will look at the slow queries of the database this afternoon and send you a list by five.",
        "Alice: Please also check whether the backup still runs at noon.",
        "Bob: I'll move the backup to the night, then the database has its rest.",
    )


async def test_a_question_is_no_point_where_there_are_statements() -> None:
    """However central it is; alone it is better than nothing."""
    question = ("ann", "Which slow queries of the shop database make the checkout slow?")
    statement = ("bob", "The slow queries of the shop database make it slow.")
    gist = await summarized(question, statement, ("ann", "Um, okay, yeah."))
    assert (gist.title, gist.key_points) == (statement[1].rstrip("."), (statement[1],))
    assert (await summarized(question)).key_points == (question[1],)


async def test_talk_without_punctuation_is_titled_by_the_words_it_is_about() -> None:
    """As some engines write it: no endless sentence as a title, no endless quotes."""
    talk = "um the database of the shop is slow and so the database needs a rest and the shop needs the database " * 6
    gist = await summarized(("ann", talk.strip()), ("bob", "okay the shop has a slow database then"))
    assert gist.title == "Database, shop, slow"
    assert all(len(point) <= 240 for point in gist.key_points)
    assert len(gist.summary) < 600


@pytest.mark.parametrize(
    ("language", "lines", "title"),
    [
        ("de", ["Guten Tag, die Datenbank ist seit Montag langsam.", "Ich sehe sie mir heute an."], "Guten Tag"),
        ("ja", ["データベースが月曜日から遅いです。", "今日調べます。"], "データベースが月曜日から遅いです"),
        ("zh", ["数据库很慢"], "数据库很慢"),
        ("ar", ["قاعدة البيانات بطيئة منذ يوم الاثنين"], "قاعدة"),
        ("tlh", ["nuqneH tlhIngan maH"], "NuqneH"),
        ("english", ["The shop is slow today again."], "The shop is slow"),
        (None, ["The shop is slow today again."], "The shop is slow"),
    ],
)
async def test_any_language_has_a_summary(language: str | None, lines: list[str], title: str) -> None:
    """Also those that nobody has stop words for, and those that are written without spaces."""
    gist = await summarized(*(("ann", line) for line in lines), language=language)
    assert gist.title is not None
    assert gist.title.startswith(title)
    assert gist.summary.startswith("Ann: ")
    assert gist.summary.endswith((".", "。"))
    assert gist.key_points
    assert gist.language == language


@pytest.mark.parametrize("lines", [["..."], ["yes", "no", "okay"], ["?"], ["4711"], ["😀"], [" "]])
async def test_next_to_nothing_is_no_error(lines: list[str]) -> None:
    """Nor a warning of a division by zero, which would be an error here."""
    gist = await summarized(*(("ann", line) for line in lines))
    assert gist.title is None or gist.title.strip()


async def test_an_hour_of_talk_is_ranked_in_parts() -> None:
    """LexRank compares everything with everything; the winners of the parts are compared again."""
    turns = [("ann", f"Item {n} of the list is about the topic number {n % 7} and nothing else.") for n in range(1500)]
    gist = await summarized(*turns)
    assert len(gist.key_points) == 5
    assert gist.title is not None
