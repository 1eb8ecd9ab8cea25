import sys
import types
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.models import registry
from harness.models.providers import PROVIDERS
from harness.models.registry import SeatDefaults, available, choose_auto, defaults_for, parse


@pytest.mark.parametrize(
    ("text", "family", "rest"),
    [
        ("auto", "auto", ""),
        ("local", "local", ""),
        ("local:/models/big one.GGUF", "local", "/models/big one.GGUF"),
        ("reference", "reference", ""),
        ("human", "human", ""),
        ("script:lines.yaml", "script", "lines.yaml"),
        ("replay:old:debate.jsonl", "replay", "old:debate.jsonl"),
        ("openai:gpt-5.4-mini", "chat", "openai:gpt-5.4-mini"),
        ("ollama:llama3:8b", "chat", "ollama:llama3:8b"),
        (" openai:gpt-5.4-mini ", "chat", "openai:gpt-5.4-mini"),
    ],
)
def test_a_model_is_read_and_written_the_same(text: str, family: str, rest: str) -> None:
    spec = parse(text)
    assert (spec.family, spec.rest) == (family, rest)
    assert str(spec) == text.strip()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("opnai:gpt", "No provider named 'opnai'. Did you mean openai?"),
        ("gpt-5", "No model named 'gpt-5'. Write provider:model"),
        ("refrence", "No model named 'refrence'. Did you mean reference?"),
        ("openai", "openai needs a model: write openai:MODEL."),
        ("openai:", "openai needs a model: write openai:MODEL."),
        ("script", "`script` needs a file: write script:FILE."),
        ("replay:", "`replay` needs a file: write replay:FILE."),
        ("human:me", "`human` takes nothing after it"),
        ("local:", "names no .gguf file: write `local`, or local:FILE.gguf."),
        ("local:weights.bin", "names no .gguf file"),
        ("", "No model named ''."),
    ],
)
def test_what_is_no_model_is_answered_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_auto_takes_the_provider_whose_key_is_set() -> None:
    choice = choose_auto({"OPENAI_API_KEY": "x"})
    assert choice == ("openai:gpt-5.4-mini", "OPENAI_API_KEY is set")


@pytest.mark.parametrize("env", [{}, {"OPENAI_API_KEY": ""}, {"OPENAI_API_KEY": "  "}])
def test_auto_without_a_key_is_local(env: dict[str, str]) -> None:
    assert choose_auto(env).spec == "local"


def test_auto_passes_over_a_provider_whose_plugin_is_not_installed() -> None:
    assert choose_auto({"UPSTAGE_API_KEY": "x"}).spec == "local"


def test_auto_says_how_to_use_a_key_it_knows_no_model_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _install(monkeypatch, "langchain_groq")
    choice = choose_auto({"GROQ_API_KEY": "x"})
    assert choice.spec == "local"
    assert "GROQ_API_KEY is set too: name a model with --model groq:MODEL" in choice.why


def test_auto_is_what_the_environment_names() -> None:
    env = {"TRACKTWO_MODEL": "reference", "OPENAI_API_KEY": "x"}
    assert choose_auto(env) == ("reference", "TRACKTWO_MODEL names it")


@pytest.mark.parametrize("named", ["auto", "gpt"])
def test_auto_refuses_what_the_environment_cannot_name(named: str) -> None:
    with pytest.raises(UserError):
        choose_auto({"TRACKTWO_MODEL": named})


@pytest.mark.parametrize(
    ("text", "defaults"),
    [
        ("local", SeatDefaults("composed", guard=True, memory="item")),
        ("local:big.gguf", SeatDefaults("free", guard=False, memory="item")),
        ("openai:gpt-5.4-mini", SeatDefaults("free", guard=False, memory="debate")),
        ("reference", SeatDefaults("composed", guard=False, memory="item")),
        ("script:lines.yaml", SeatDefaults("composed", guard=False, memory="item")),
        ("human", SeatDefaults("free", guard=False, memory="debate")),
    ],
)
def test_each_kind_of_model_has_its_defaults(text: str, defaults: SeatDefaults) -> None:
    assert defaults_for(parse(text)) == defaults


def test_auto_has_no_defaults_before_it_is_chosen() -> None:
    with pytest.raises(ValueError, match="has to be chosen"):
        defaults_for(parse("auto"))


def test_what_needs_no_key_is_always_ready() -> None:
    ready = {a.name for a in available({}) if a.ready}
    assert {"reference", "local", "script:FILE", "replay:FILE", "human"} <= ready
    assert "openai:MODEL" not in ready


def test_a_provider_is_ready_with_plugin_and_key_and_no_value_is_shown() -> None:
    listed = {a.name: a for a in available({"OPENAI_API_KEY": "sk-1", "XAI_API_KEY": "sk-2"})}
    assert listed["openai:MODEL"][1:] == (True, "OPENAI_API_KEY is set")
    assert listed["xai:MODEL"][1:] == (False, "pip install langchain-xai")
    assert listed["groq:MODEL"][2] == "pip install langchain-groq and set GROQ_API_KEY"
    assert "sk-" not in repr(listed)


def test_a_server_of_ones_own_makes_openai_ready_without_a_key() -> None:
    listed = {a.name: a for a in available({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})}
    assert listed["openai:MODEL"].ready


def test_every_provider_is_one_that_langchain_opens_with_this_class() -> None:
    from langchain.chat_models.base import _BUILTIN_PROVIDERS

    for provider in PROVIDERS.values():
        module, chat_class, _ = _BUILTIN_PROVIDERS[provider.name]
        assert (provider.module, provider.chat_class) == (module, chat_class)


def test_the_model_that_auto_takes_of_openai_keeps_to_schemas() -> None:
    from langchain_openai.data._profiles import _PROFILES

    profile = _PROFILES[registry.DEFAULT_MODELS["openai"]]
    assert profile["structured_output"]
    assert profile.get("status") != "deprecated"


def test_naming_a_model_imports_neither_langchain_nor_llama() -> None:
    import subprocess

    code = (
        "import sys; from harness.models.registry import available, choose_auto, parse; "
        "parse('openai:x'); choose_auto({}); available({}); "
        "sys.exit(any(m.split('.')[0] in ('langchain', 'langchain_core', 'openai', 'xllamacpp') "
        "for m in sys.modules))"
    )
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root).returncode == 0


def _install(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    stand_in = types.ModuleType(module)
    stand_in.__spec__ = types.SimpleNamespace()  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, module, stand_in)
