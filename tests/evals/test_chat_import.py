"""Chat logs of other programs become transcripts of words, in which nothing was decided."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals import tables
from evals.evaluator import Failure, evaluate
from evals.importers.chat import read_chat
from evals.importers.imported import passed, table_in, table_of, write
from evals.registry import BUILT_IN
from harness import events as e
from harness.errors import TranscriptInUse, UserError
from harness.loading import load_setting
from harness.transcript import Transcript, read

DAY = date(2026, 1, 2)
NOW = "2026-01-02T03:04:05.678+00:00"

GROUPCHAT = {
    "chat_id": 7,
    "chat_history": [
        {"content": "You are diplomats.", "role": "system", "name": "Admin"},
        {"content": "Sanctions stay.", "role": "user", "name": "US_delegate"},
        {"content": None, "role": "assistant", "name": "RU_delegate",
         "tool_calls": [{"id": "1", "type": "function", "function": {"name": "search"}}]},
        {"content": "three hits", "role": "tool", "tool_responses": [{"content": "three hits"}]},
        {"content": "They are illegal.", "role": "assistant", "name": "RU_delegate"},
        {"content": "  ", "role": "user", "name": "Admin"},
    ],
    "summary": "They disagree.",
    "cost": {},
}  # fmt: skip
"""What AutoGen 0.2 keeps of a chat."""

TASK_RESULT = {
    "messages": [
        {"id": "a", "source": "user", "models_usage": None, "metadata": {},
         "created_at": "2026-01-01T00:00:00Z", "content": "Debate.", "type": "TextMessage"},
        {"source": "us", "models_usage": {"prompt_tokens": 9, "completion_tokens": 3},
         "content": "I should be firm.", "type": "ThoughtEvent"},
        {"source": "us", "models_usage": None, "metadata": {},
         "content": [{"id": "x", "arguments": "{}", "name": "look"}],
         "type": "ToolCallRequestEvent"},
        {"source": "us", "models_usage": None, "metadata": {},
         "content": [{"content": "found", "name": "look", "call_id": "x", "is_error": False}],
         "type": "ToolCallExecutionEvent"},
        {"source": "us", "models_usage": {"prompt_tokens": 20, "completion_tokens": 4},
         "metadata": {}, "content": "Sanctions stay.", "type": "TextMessage"},
        {"source": "ru", "models_usage": None, "metadata": {},
         "content": ["Look at this.", {"data": "iVBOR"}], "type": "MultiModalMessage"},
        {"source": "ru", "models_usage": None, "metadata": {}, "content": "over",
         "type": "StopMessage"},
        {"source": "ru", "content": "", "type": "SelectSpeakerEvent"},
    ],
    "stop_reason": "done",
}  # fmt: skip
"""What AutoGen 0.4 dumps of a task."""


def log(folder: Path, data: object, name: str = "chat.json") -> Path:
    path = folder / name
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def imported(path: Path, seats: dict[str, str] | None = None) -> Transcript:
    chat = read_chat(path)
    return read(write(chat, table_of(chat, DAY, seats), path.with_suffix(".jsonl"), NOW))


def said(transcript: Transcript) -> list[tuple[str, str]]:
    return [(x.party, x.text) for x in transcript.events if isinstance(x, e.Statement)]


def left(path: Path) -> dict[str, tuple[str, ...]]:
    chat = read_chat(path)
    return dict(passed(chat, table_of(chat, DAY)))


def mended(path: Path, **more: Any) -> str:
    with pytest.raises(UserError) as found:
        read_chat(path, **more)
    return str(found.value).replace(f"{path.parent}/", "")


def test_a_group_chat_of_autogen_0_2_is_taken_over_and_the_rest_is_listed(tmp_path: Path) -> None:
    path = log(tmp_path, GROUPCHAT)

    assert read_chat(path).format == "autogen"
    assert said(imported(path)) == [
        ("us-delegate", "Sanctions stay."),
        ("ru-delegate", "They are illegal."),
    ]
    assert left(path) == {
        "a system prompt": ("chat_history[0]",),
        "a call of a tool": ("chat_history[2]",),
        "the reply of a tool": ("chat_history[3]",),
        "a message without words": ("chat_history[5]",),
    }


def test_a_task_of_autogen_0_4_is_taken_over_and_the_rest_is_listed(tmp_path: Path) -> None:
    path = log(tmp_path, TASK_RESULT)
    chat = read_chat(path)

    assert chat.format == "autogen"
    assert said(imported(path)) == [
        ("user", "Debate."), ("us", "Sanctions stay."), ("ru", "Look at this."),
    ]  # fmt: skip
    assert left(path) == {
        "a thought that nobody else heard": ("messages[1]",),
        "a call of a tool": ("messages[2]",),
        "the reply of a tool": ("messages[3]",),
        "a part that is no text, such as a picture": ("messages[5]",),
        "a signal to stop": ("messages[6]",),
        "a SelectSpeakerEvent, which is nothing said": ("messages[7]",),
    }
    assert dict(chat.unused) == {"id": 1, "created_at": 1, "models_usage": 2}


@pytest.mark.parametrize(
    ("wrapped", "place"),
    [
        ({"groupchat": {"messages": GROUPCHAT["chat_history"]}}, "groupchat.messages[1]"),
        ({"task_result": {"messages": GROUPCHAT["chat_history"]}}, "task_result.messages[1]"),
        (
            {"type": "TeamState", "agent_states": {
                "us/1": {"message_buffer": []},
                "manager/1": {"message_thread": GROUPCHAT["chat_history"]},
            }},
            "message_thread[1]",
        ),
    ],
)  # fmt: skip
def test_the_messages_are_found_where_autogen_keeps_them(
    tmp_path: Path, wrapped: object, place: str
) -> None:
    chat = read_chat(log(tmp_path, wrapped))

    assert chat.said[0][:3] == (place, "US_delegate", "Sanctions stay.")
    assert chat.format == "autogen"


def test_messages_in_openais_notation_speak_by_name_or_else_by_role(tmp_path: Path) -> None:
    path = log(tmp_path, [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "name": "Envoy", "content": "We want talks."},
        {"role": "assistant", "content": [{"type": "text", "text": "So do"}, {"type": "text",
         "text": "we."}, {"type": "image_url", "image_url": {"url": "data:"}}]},
        {"role": "assistant", "content": None, "refusal": "I cannot discuss this."},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    ])  # fmt: skip
    transcript = imported(path)

    assert read_chat(path).format == "openai"
    assert said(transcript) == [("envoy", "We want talks."), ("assistant", "So do\nwe.")]
    assert left(path) == {
        "a system prompt": ("messages[0]",),
        "a part that is no text, such as a picture": ("messages[2]",),
        "a call of a tool": ("messages[4]",),
    }
    (failed,) = [event for event in transcript.events if isinstance(event, e.TurnFailed)]
    assert (failed.failure, failed.party, failed.why) == (
        "refused", "assistant", "I cannot discuss this.",
    )  # fmt: skip


@pytest.mark.parametrize("who", ["speaker", "name", "source"])
@pytest.mark.parametrize("words", ["text", "content", "message"])
def test_plain_lists_of_speaker_and_text_as_json_and_as_lines(
    tmp_path: Path, who: str, words: str
) -> None:
    messages = [{who: "Ana", words: "One."}, {who: "Bo", words: "Two."}]
    whole = read_chat(log(tmp_path, messages))
    lines = "\n\n".join(map(json.dumps, messages))
    by_line = read_chat(log(tmp_path, lines, "chat.jsonl"))
    single = read_chat(log(tmp_path, messages[0], "one.jsonl"))

    assert whole.format == by_line.format == "plain"
    assert [x[1:3] for x in whole.said] == [("Ana", "One."), ("Bo", "Two.")]
    assert [x[1:3] for x in by_line.said] == [("Ana", "One."), ("Bo", "Two.")]
    assert [x.place for x in by_line.said] == ["line 1", "line 3"]
    assert [x[1:3] for x in single.said] == [("Ana", "One.")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "chat.json: it is empty"),
        ("[]", "chat.json: messages is empty"),
        ("hello there", "chat.json:1:1: not JSON: Expecting value"),
        ('[{"speaker": "A", "text": "x"},\n  {"speaker"]', "chat.json:2:13: not JSON"),
        ('{"speaker": "A", "text": "x"}\n{oops}', "chat.json:2: not JSON"),
        ('{"speaker": "A", "text": "x"}\n7', "chat.json:2: 7 is no message"),
        ('["hello"]', 'chat.json: messages[0]: "hello" is no message'),
        ('{"topic": "x"}', "chat.json: there is no list of messages in it"),
        ('[{"text": "x"}]', "messages[0]: nobody is named who says it"),
        ('[{"speaker": 7, "text": "x"}]', "messages[0]: nobody is named who says it"),
        ('[{"speaker": "A", "says": "x"}]', "messages[0]: no text or content or message in it"),
        ('[{"speaker": "A", "text": 7}]', "messages[0]: text is 7; it has to be text"),
        ('[{"role": "user", "text": "x"}]', "messages[0]: no content in it; it has role, text"),
        (
            '[{"role": "system", "content": "x"}]',
            "nobody says anything in it; left out: 1 x a system prompt",
        ),
        ("[" * 100_000, "chat.json: nested too deeply"),
    ],
)
def test_bad_input_is_named_with_its_place_and_the_next_step(
    tmp_path: Path, data: str, message: str
) -> None:
    assert message in mended(log(tmp_path, data))


def test_bytes_that_are_no_text_and_a_missing_file_are_said(tmp_path: Path) -> None:
    (tmp_path / "latin.json").write_bytes(b'[{"speaker": "Z\xfcrich", "text": "x"}]')
    assert "latin.json: byte 15 is not UTF-8" in mended(tmp_path / "latin.json")
    assert "cannot be read: No such file" in mended(tmp_path / "none.json")


def test_a_format_that_was_named_is_not_guessed(tmp_path: Path) -> None:
    path = log(tmp_path, [{"speaker": "A", "text": "x", "role": "system"}])

    assert mended(path, format="openai") == mended(path)
    assert read_chat(path, "plain").said[0].text == "x"


def test_nothing_in_an_imported_record_claims_that_anything_was_agreed(tmp_path: Path) -> None:
    chat = read_chat(log(tmp_path, GROUPCHAT))
    seats = {"US_delegate": "us", "RU_delegate": "ru"}
    table = table_in(chat, load_setting("geneva-2021"), "sanctions", seats)
    transcript = read(write(chat, table, tmp_path / "talks.jsonl", NOW))

    assert transcript.finished
    assert {issue.outcome for issue in transcript.state.issues.values()} == {None}
    closed = transcript.events[-1]
    assert isinstance(closed, e.DebateClosed)
    assert (closed.adopted, closed.bracketed, closed.open) == (0, 0, 0)
    made = tables.tables(transcript)
    assert {row.outcome for row in made.agreement} == {"undecided"}
    assert made.failures == ()
    assert {seat.model for seat in transcript.card.seats} == {"import:autogen"}
    assert "'US_delegate' in chat.json" in transcript.card.seats[0].why
    assert not transcript.calls


def test_with_a_setting_the_speakers_stand_beside_documented_positions(tmp_path: Path) -> None:
    chat = read_chat(log(tmp_path, [
        {"speaker": "United States", "text": "Sanctions stay."},
        {"speaker": "RU", "text": "They are illegal."},
        {"speaker": "Moderator", "text": "Order, please."},
        {"speaker": "Bot", "text": "beep"},
    ]))  # fmt: skip
    table = table_in(
        chat, load_setting("geneva-2021"), "sanctions", {"Moderator": "chair", "Bot": "-"}
    )
    transcript = read(write(chat, table, tmp_path / "talks.jsonl", NOW))

    assert said(transcript) == [("us", "Sanctions stay."), ("ru", "They are illegal.")]
    assert [x.text for x in transcript.events if isinstance(x, e.ChairSpoke)] == ["Order, please."]
    assert transcript.setting.mandate("us", "sanctions").red_lines
    assert [party.id for party in transcript.setting.parties] == ["us", "ru"]
    assert dict(passed(chat, table)) == {"said by Bot, who was left out": ("messages[3]",)}
    opened = transcript.events[2]
    assert isinstance(opened, e.DebateOpened)
    assert "1 x said by Bot, who was left out" in opened.words


@pytest.mark.parametrize(
    ("item", "given", "message"),
    [
        ("sanctions", {}, "'Envoy' (2 messages), 'Guest' (1 message)"),
        ("sanctions", {}, '--speaker "Envoy=us"'),
        (None, {"Envoy": "us", "Guest": "-"}, "say what was talked about with --item"),
        ("sanction", {"Envoy": "us", "Guest": "-"}, "no item 'sanction'; there is"),
        ("sanctions", {"Envoi": "us"}, "has no speaker 'Envoi'; it has 'Envoy' (2 messages)"),
        ("sanctions", {"Envoy": "fr", "Guest": "-"}, "cannot sit as 'fr': geneva-2021 has us, ru"),
    ],
)
def test_a_speaker_without_a_seat_is_never_dropped_in_silence(
    tmp_path: Path, item: str | None, given: dict[str, str], message: str
) -> None:
    chat = read_chat(log(tmp_path, [
        {"speaker": "Envoy", "text": "One."}, {"speaker": "Guest", "text": "Two."},
        {"speaker": "Envoy", "text": "Three."},
    ]))  # fmt: skip

    with pytest.raises(UserError) as found:
        table_in(chat, load_setting("geneva-2021"), item, given)
    assert message in str(found.value)


def test_names_that_come_to_the_same_id_stay_apart_and_the_chairs_seat_is_nobodys(
    tmp_path: Path,
) -> None:
    names = ["Ana Ruiz", "ana-ruiz", "Чиновник", "官员", "chair", "Ana Ruiz"]
    path = log(tmp_path, [{"speaker": name, "text": "x"} for name in names])

    assert [party for party, _ in said(imported(path))] == [
        "ana-ruiz", "ana-ruiz-2", "speaker", "speaker-2", "chair-2", "ana-ruiz",
    ]  # fmt: skip
    assert [p.name for p in imported_setting(path).parties][2] == "Чиновник"


def imported_setting(path: Path) -> Any:
    chat = read_chat(path)
    return table_of(chat, DAY).setting


def test_if_everybody_is_left_out_there_is_nothing_to_import(tmp_path: Path) -> None:
    chat = read_chat(log(tmp_path, [{"speaker": "Ana", "text": "x"}]))

    with pytest.raises(UserError, match="no speaker sits as a party"):
        write(chat, table_of(chat, DAY, {"Ana": "chair"}), tmp_path / "talks.jsonl", NOW)


def test_a_transcript_that_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    chat = read_chat(log(tmp_path, [{"speaker": "Ana", "text": "x"}]))
    (tmp_path / "talks.jsonl").write_text("mine")

    with pytest.raises(TranscriptInUse, match="exists already"):
        write(chat, table_of(chat, DAY), tmp_path / "talks.jsonl", NOW)
    assert (tmp_path / "talks.jsonl").read_text() == "mine"


@given(
    st.lists(
        st.tuples(st.text(min_size=1), st.text()).filter(lambda pair: bool(pair[0].strip())),
        min_size=1,
    )
)
def test_any_log_becomes_a_record_with_every_word_or_a_reason(
    tmp_path_factory: pytest.TempPathFactory, messages: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    path = log(folder, [{"speaker": who, "text": words} for who, words in messages])
    with_words = [words for _, words in messages if words.strip()]
    if not with_words:
        assert "nobody says anything" in mended(path)
        return
    transcript = imported(path)

    assert [words for _, words in said(transcript)] == with_words
    assert sum(map(len, left(path).values())) == len(messages) - len(with_words)
    assert not [r for r in evaluate(transcript, BUILT_IN) if isinstance(r, Failure)]


def test_half_a_surrogate_pair_does_not_stop_an_import(tmp_path: Path) -> None:
    path = log(tmp_path, '[{"speaker": "A\\ud800", "text": "x\\udfff \\ud83d\\ude00"}]')

    assert said(imported(path)) == [("a", "x\ufffd \U0001f600")]
