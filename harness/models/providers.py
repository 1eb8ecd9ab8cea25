"""The providers that LangChain's `init_chat_model` knows, and where each looks for its key.

Plain data, so that naming a model costs no import of LangChain. Whether a key is set is all that is
ever asked of the environment here; no value is read.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import NamedTuple


class Provider(NamedTuple):
    """A company or server that answers chat requests."""

    name: str
    """As written before the colon: `openai` in `openai:gpt-5.4-mini`."""
    module: str
    """Python module of the LangChain plugin."""
    chat_class: str
    """The plugin's class."""
    keys: tuple[str, ...] = ()
    """Environment variables that hold its key, any of them; empty where there are other ways."""

    @property
    def package(self) -> str:
        """What to install."""
        return self.module.partition(".")[0].replace("_", "-")

    @property
    def installed(self) -> bool:
        """Whether the plugin is here."""
        return importlib.util.find_spec(self.module.partition(".")[0]) is not None

    def key_set(self, env: Mapping[str, str]) -> str | None:
        """The name of the variable that holds a key; None where none does."""
        return next((key for key in self.keys if env.get(key, "").strip()), None)


PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (
        Provider("openai", "langchain_openai", "ChatOpenAI", ("OPENAI_API_KEY",)),
        Provider("anthropic", "langchain_anthropic", "ChatAnthropic", ("ANTHROPIC_API_KEY",)),
        Provider(
            "google_genai",
            "langchain_google_genai",
            "ChatGoogleGenerativeAI",
            ("GOOGLE_API_KEY", "GEMINI_API_KEY"),
        ),
        Provider("mistralai", "langchain_mistralai", "ChatMistralAI", ("MISTRAL_API_KEY",)),
        Provider("deepseek", "langchain_deepseek", "ChatDeepSeek", ("DEEPSEEK_API_KEY",)),
        Provider("xai", "langchain_xai", "ChatXAI", ("XAI_API_KEY",)),
        Provider("groq", "langchain_groq", "ChatGroq", ("GROQ_API_KEY",)),
        Provider("cohere", "langchain_cohere", "ChatCohere", ("COHERE_API_KEY",)),
        Provider("together", "langchain_together", "ChatTogether", ("TOGETHER_API_KEY",)),
        Provider("fireworks", "langchain_fireworks", "ChatFireworks", ("FIREWORKS_API_KEY",)),
        Provider("openrouter", "langchain_openrouter", "ChatOpenRouter", ("OPENROUTER_API_KEY",)),
        Provider("nvidia", "langchain_nvidia_ai_endpoints", "ChatNVIDIA", ("NVIDIA_API_KEY",)),
        Provider(
            "perplexity",
            "langchain_perplexity",
            "ChatPerplexity",
            ("PPLX_API_KEY", "PERPLEXITY_API_KEY"),
        ),
        Provider("upstage", "langchain_upstage", "ChatUpstage", ("UPSTAGE_API_KEY",)),
        Provider("azure_openai", "langchain_openai", "AzureChatOpenAI", ("AZURE_OPENAI_API_KEY",)),
        # What follows is set up in ways of its own (no key, several, or a login): the plugin says
        # what it misses.
        Provider("ollama", "langchain_ollama", "ChatOllama"),
        Provider("azure_ai", "langchain_azure_ai.chat_models", "AzureAIOpenAIApiChatModel"),
        Provider("anthropic_bedrock", "langchain_aws", "ChatAnthropicBedrock"),
        Provider("bedrock", "langchain_aws", "ChatBedrock"),
        Provider("bedrock_converse", "langchain_aws", "ChatBedrockConverse"),
        Provider("google_vertexai", "langchain_google_vertexai", "ChatVertexAI"),
        Provider(
            "google_anthropic_vertex",
            "langchain_google_vertexai.model_garden",
            "ChatAnthropicVertex",
        ),
        Provider("litellm", "langchain_litellm", "ChatLiteLLM"),
        Provider("meta", "langchain_meta", "ChatMetaModel"),
        Provider("baseten", "langchain_baseten", "ChatBaseten"),
    )
}
"""By name; those that `--model auto` may choose first, in the order it looks."""
