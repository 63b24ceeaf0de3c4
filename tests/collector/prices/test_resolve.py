"""Names as the field spells them, and what the price book calls them; None where any answer would be a guess."""

import pytest

from spanledger_collector.prices.extract import PriceList
from spanledger_collector.prices.resolve import Resolver, resolve

SONNET = ("aws", "regional.anthropic.claude-sonnet-4-5-20250929-v1:0")
BEDROCK_ID = "anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.mark.parametrize(
    ("provider_raw", "model_raw", "expected"),
    [
        # the names of the OpenTelemetry conventions
        ("openai", "gpt-4o", ("openai", "gpt-4o")),
        ("anthropic", "claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("aws.bedrock", BEDROCK_ID, SONNET),
        ("azure.ai.openai", "gpt-4o", ("azure", "gpt-4o")),
        ("azure.ai.inference", "phi-4", ("azure", "phi-4")),
        ("gcp.vertex_ai", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("gcp.gemini", "gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("gcp.gen_ai", "gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("deepseek", "deepseek-chat", ("deepseek", "deepseek-chat")),
        ("groq", "llama-3.3-70b-versatile", ("groq", "llama-3.3-70b-versatile")),
        ("mistral_ai", "mistral-large-latest", ("mistral", "mistral-large")),
        ("x_ai", "grok-4-latest", ("x-ai", "grok-4-0709")),
        ("cohere", "command-r-plus-08-2024", ("cohere", "command-r-plus")),
        ("perplexity", "sonar-pro", ("perplexity", "sonar-pro")),
        ("moonshot_ai", "kimi-k2", ("moonshotai", "kimi-k2")),
        ("ibm.watsonx.ai", "ibm/granite-3-8b-instruct", None),
        # other emitters
        ("openai.chat", "gpt-4o", ("openai", "gpt-4o")),
        ("openai.responses", "gpt-5", ("openai", "gpt-5")),
        ("anthropic.messages", "claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("google", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("google.vertex.chat", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("google.generative-ai", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("vertex.anthropic.messages", "claude-sonnet-4-5@20250929", ("google", "claude-sonnet-4-5")),
        ("vertexai", "gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("bedrock", BEDROCK_ID, SONNET),
        ("amazon-bedrock", BEDROCK_ID, SONNET),
        ("azure-openai.chat", "gpt-5-mini", ("azure", "gpt-5-mini")),
        ("mistralai", "mistral-large-latest", ("mistral", "mistral-large")),
        ("xai", "grok-4-latest", ("x-ai", "grok-4-0709")),
        # regions and inference profiles of Bedrock
        ("aws.bedrock", f"us.{BEDROCK_ID}", SONNET),
        ("aws.bedrock", f"eu.{BEDROCK_ID}", SONNET),
        ("aws.bedrock", f"au.{BEDROCK_ID}", SONNET),
        ("aws.bedrock", f"jp.{BEDROCK_ID}", SONNET),
        ("aws.bedrock", f"global.{BEDROCK_ID}", ("aws", f"global.{BEDROCK_ID}")),
        (
            "aws.bedrock",
            "apac.anthropic.claude-sonnet-4-20250514-v1:0",
            ("aws", "regional.anthropic.claude-sonnet-4-20250514-v1:0"),
        ),
        ("aws.bedrock", f"arn:aws:bedrock:eu-west-1::foundation-model/{BEDROCK_ID}", SONNET),
        ("aws.bedrock", f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.{BEDROCK_ID}", SONNET),
        (
            "aws.bedrock",
            f"arn:aws:bedrock:us-east-1:123456789012:inference-profile/global.{BEDROCK_ID}",
            ("aws", f"global.{BEDROCK_ID}"),
        ),
        ("aws.bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3", None),
        ("aws.bedrock", "us.amazon.nova-pro-v1:0", ("aws", "amazon.nova-pro-v1:0")),
        ("anthropic", f"us.{BEDROCK_ID}", SONNET),
        ("", f"eu.{BEDROCK_ID}", SONNET),
        # models of another provider
        ("azure", "claude-sonnet-4-5", ("azure", "claude-sonnet-4-5")),
        ("gcp.vertex_ai", "claude-sonnet-4-5@20250929", ("google", "claude-sonnet-4-5")),
        # folders and prefixes
        ("gcp.vertex_ai", "publishers/google/models/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        (
            "gcp.vertex_ai",
            "projects/acme/locations/europe-west1/publishers/google/models/gemini-2.5-pro",
            ("google", "gemini-2.5-pro"),
        ),
        ("gcp.gemini", "models/gemini-2.5-flash", ("google", "gemini-2.5-flash")),
        ("fireworks", "accounts/fireworks/models/deepseek-v3p2", ("fireworks", "deepseek-v3p2")),
        ("", "accounts/fireworks/models/deepseek-v3p2", ("fireworks", "deepseek-v3p2")),
        ("openai", "openai/gpt-4o", ("openai", "gpt-4o")),
        ("gcp.vertex_ai", "vertex_ai/gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("litellm", "anthropic/claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("", "azure/gpt-5-mini", ("azure", "gpt-5-mini")),
        ("openrouter", "anthropic/claude-sonnet-4.5", ("openrouter", "anthropic/claude-sonnet-4.5")),
        # dates, latest, case, fine-tuned
        ("openai", "gpt-5-2025-08-07", ("openai", "gpt-5")),
        ("openai", "gpt-5.2-20251211", ("openai", "gpt-5.2")),
        ("openai", "GPT-4o", ("openai", "gpt-4o")),
        ("OpenAI", "gpt-4o ", ("openai", "gpt-4o")),
        ("openai", "chatgpt-4o-latest", ("openai", "chatgpt-4o-latest")),
        ("openai", "ft:gpt-4o-2024-08-06:acme::a1b2", ("openai", "ft:gpt-4o")),
        ("anthropic", "claude-sonnet-4-5-20250929", ("anthropic", "claude-sonnet-4-5")),
        ("anthropic", "claude-3-5-sonnet-latest", ("anthropic", "claude-3-5-sonnet")),
        ("gcp.gemini", "gemini-2.5-pro-preview-05-06", ("google", "gemini-2.5-pro")),
        # no provider: only where the model's name leaves one
        ("", "gpt-4o", ("openai", "gpt-4o")),
        ("", "claude-sonnet-4-5", ("anthropic", "claude-sonnet-4-5")),
        ("unknown", "gemini-2.5-pro", ("google", "gemini-2.5-pro")),
        ("", "llama-3.3-70b", None),
        ("", "databricks-claude-sonnet-4", None),
        # never a guess
        ("openai", "gpt-99", None),
        ("openai", "deepseek-chat", None),
        ("openai", "claude-sonnet-4-5", None),
        ("openai", "anthropic/claude-sonnet-4-5", None),
        ("my-gateway", "gpt-4o", None),
        ("azure.ai.openai", "prod-chat-deployment", None),
        ("openai", "", None),
        ("", "", None),
    ],
)
def test_names_resolve(provider_raw: str, model_raw: str, expected: tuple[str, str] | None) -> None:
    assert resolve(provider_raw, model_raw) == expected


OPUS, PRO = "claude-opus-4-6", "gemini-2.5-pro"
HAIKU_3 = "anthropic.claude-3-haiku-20240307-v1:0"
ARN = "arn:aws:bedrock:us-east-1:123456789012"


@pytest.mark.parametrize(
    ("provider_raw", "model_raw", "model"),
    [
        # a rule for all names that start alike: dates, versions, windows and latest are the model itself
        ("anthropic", f"{OPUS}-20260205", OPUS),
        ("anthropic", f"{OPUS}-latest", OPUS),
        ("anthropic", f"{OPUS}-v1:0", OPUS),
        ("anthropic", f"{OPUS}[1m]", OPUS),
        ("anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4-0"),
        ("vertex_ai", f"{OPUS}@default", OPUS),
        ("vertex_ai", f"{OPUS}@20260205", OPUS),
        ("google", f"{PRO}-preview-05-06", PRO),
        ("google", f"{PRO}-002", PRO),
        ("google", "gemini-3.1-pro-preview-customtools", "gemini-3.1-pro-preview"),
        ("google", "gemma-3-27b-it", "gemma-3"),
        ("mistral", "mistral-large-2411", "mistral-large"),
        ("openai", "omni-moderation-latest", "moderation"),
        ("openai", "gpt-5.2-20251211", "gpt-5.2"),
        ("aws.bedrock", "amazon.nova-pro-v1:0:300k", "amazon.nova-pro-v1:0"),
        # what is faster, thinks, looks something up or was trained costs something else, unless the book says what
        ("anthropic", f"{OPUS}-fast", None),
        ("anthropic", f"{OPUS}-FAST", None),
        ("anthropic", f"{OPUS}-20260205-fast", None),
        ("anthropic", f"{OPUS}-thinking", None),
        ("anthropic", f"{OPUS}-batch", None),
        ("anthropic", f"{OPUS}:online", None),
        ("anthropic", f"{OPUS}:free", None),
        ("anthropic", f"{OPUS}.5", None),
        ("anthropic", f"{OPUS}5", None),
        ("anthropic", f"{OPUS}-mini", None),
        ("anthropic", "claude-3-7-sonnet-thinking", None),
        ("vertex_ai", f"{OPUS}-fast@20260205", None),
        ("azure", f"{OPUS}-fast", None),
        ("", f"{OPUS}-fast", None),
        ("litellm", f"anthropic/{OPUS}-fast", None),
        ("google", f"{PRO}-tuned", None),
        ("google", f"{PRO}-tts", f"{PRO}-tts"),
        ("google", f"{PRO}-computer-use", None),
        ("google", "gemini-2.0-flash-thinking-exp", None),
        ("google", "gemini-2.0-flash-exp-image-generation", None),
        ("google", "gemini-3.8-live-extended-thinking", None),
        ("deepseek", "deepseek-v4-flash-vision-exp", None),
        ("openai", "gpt-5-fast", None),
        ("openai", "gpt-5-thinking", None),
        ("openai", "gpt-5-nano-custom", None),
        ("openai", "gpt-4o:online", None),
        ("azure", "gpt-4o-prod", None),
        ("azure", "my-o4-mini", None),
        ("openrouter", "openai/gpt-4o:online", None),
        ("openrouter", "openai/gpt-4o:nitro", None),
        ("openrouter", "openai/gpt-4o:floor", None),
        ("openrouter", f"anthropic/{OPUS}:thinking", None),
        ("openrouter", "x-ai/grok-4-fast:free", None),
        ("openrouter", "deepseek/deepseek-r1:free", "deepseek/deepseek-r1:free"),
        ("openrouter", "openai/gpt-4o:extended", "openai/gpt-4o:extended"),
        ("x-ai", "grok-4-fast", "grok-4-fast-reasoning"),
        ("x-ai", "grok-4-heavy", None),
        # fine-tuned: never the price of the model that it was made of
        ("openai", "ft:gpt-4o-mini-2024-07-18:acme::a1", "ft:gpt-4o-mini"),
        ("openai", "ft:gpt-3.5-turbo-0125:acme::a1", "ft:gpt-3.5-turbo-"),
        ("openai", "ft:gpt-4-0613:acme::a1", None),
        ("openai", "ft:gpt-4.1-2025-04-14:acme::a1", None),
        ("azure", "gpt-4o-mini-2024-07-18.ft-a1", "gpt-4o-mini-2024-07-18.ft-"),
        ("mistral", "ft:mistral-small-latest:acme:a1", None),
        # Bedrock: trained and rented models, fast ones, single regions with prices of their own, and its government clouds
        ("aws.bedrock", f"{ARN}:inference-profile/us.{HAIKU_3}", f"regional.{HAIKU_3}"),
        ("aws.bedrock", f"{ARN}:custom-model/{HAIKU_3}/a1", None),
        ("aws.bedrock", f"{ARN}:provisioned-model/{HAIKU_3}", None),
        ("aws.bedrock", f"{ARN}:imported-model/{HAIKU_3}", None),
        ("aws.bedrock", f"anthropic.{OPUS}-fast-v1:0", None),
        ("aws.bedrock", "us-gov.openai.gpt-oss-120b-1:0", None),
        ("bedrock", "bedrock/eu-west-3/mistral.mistral-7b-instruct-v0:2", None),
    ],
)
def test_a_name_that_says_more_than_the_model_has_no_price_rather_than_that_of_the_model(
    provider_raw: str, model_raw: str, model: str | None
) -> None:
    found = resolve(provider_raw, model_raw)

    assert (found and found[1]) == model


def test_every_model_of_the_book_is_found_by_a_name_that_it_has_itself(listed: PriceList) -> None:
    resolver = Resolver()
    models = {(one.key.provider, one.key.model) for one in listed.segments}
    found = [resolver.resolve(provider, model) for provider, model in sorted(models)]

    assert {name for name in found if name} <= models | set(listed.unpriced_models)
    assert sum(name is not None for name in found) > 0.9 * len(models)
