"""Makes the calls that record.py records; runs in an environment with the library and nothing of ours. Modules are imported by name,
because the project itself does not have them."""

import asyncio
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

SAY = "Where is my order?"
OPENAI, REASONING, CLAUDE = "gpt-4o-mini", "gpt-5-mini", "claude-sonnet-4-5"
CASES: dict[str, dict[str, Callable[[], Any]]] = {}


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    emitter, _, name = function.__name__.partition("__")
    CASES.setdefault(emitter, {})[name] = function
    return function


def look_up_order(order_id: str) -> str:
    """Look up an order."""
    return f"{order_id} is on its way"


def use_otlp() -> Any:
    """Send spans to the receiver, as the environment says."""
    trace = import_module("opentelemetry.trace")
    sdk, export = import_module("opentelemetry.sdk.trace"), import_module("opentelemetry.sdk.trace.export")
    exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return provider


# Pydantic AI through Logfire, and by itself


def pydantic_agent(model: str, version: int | None, *, tools: bool = False) -> Any:
    ai = import_module("pydantic_ai")
    if version is None:
        logfire = import_module("logfire")
        logfire.configure(send_to_logfire=False, console=False)
        logfire.instrument_pydantic_ai()
    else:
        use_otlp()
        settings = import_module("pydantic_ai.models.instrumented").InstrumentationSettings(version=version)
        ai.Agent.instrument_all(settings)
    return ai.Agent(model, tools=[look_up_order] if tools else [])


@case
def pydantic_ai__openai_cached() -> None:
    pydantic_agent(f"openai-chat:{OPENAI}", None).run_sync(SAY)


@case
def pydantic_ai__openai_agent() -> None:
    pydantic_agent(f"openai-chat:{OPENAI}", None, tools=True).run_sync(SAY)


@case
def pydantic_ai__anthropic_cached() -> None:
    pydantic_agent(f"anthropic:{CLAUDE}", None).run_sync(SAY)


@case
def pydantic_ai__responses_v2() -> None:
    pydantic_agent(f"openai-responses:{REASONING}", 2).run_sync(SAY)


@case
def pydantic_ai_1__openai_v1_agent() -> None:
    pydantic_agent(f"openai-chat:{OPENAI}", 1, tools=True).run_sync(SAY)


@case
def pydantic_ai_1__anthropic_v2() -> None:
    pydantic_agent(f"anthropic:{CLAUDE}", 2).run_sync(SAY)


@case
def pydantic_ai__anthropic_stream() -> None:
    async def run() -> None:
        async with pydantic_agent(f"anthropic:{CLAUDE}", None).run_stream(SAY) as result:
            async for _ in result.stream_text():
                pass

    asyncio.run(run())


@case
def pydantic_ai__logfire_openai_stream() -> None:
    logfire = import_module("logfire")
    logfire.configure(send_to_logfire=False, console=False)
    logfire.instrument_openai()
    openai_stream()


@case
def pydantic_ai__logfire_anthropic_cached() -> None:
    logfire = import_module("logfire")
    logfire.configure(send_to_logfire=False, console=False)
    logfire.instrument_anthropic()
    claude()


def openai_stream(client: Any = None) -> None:
    made = client or import_module("openai").OpenAI()
    for _ in made.chat.completions.create(
        model=OPENAI,
        messages=[{"role": "user", "content": SAY}],
        stream=True,
        stream_options={"include_usage": True},
    ):
        pass


def claude() -> None:
    client = import_module("anthropic").Anthropic()
    client.messages.create(model=CLAUDE, max_tokens=100, messages=[{"role": "user", "content": SAY}])


# LiteLLM's own callback


def litellm_call(**more: Any) -> None:
    litellm: Any = import_module("litellm")
    litellm.callbacks = ["otel"]
    result = litellm.completion(messages=[{"role": "user", "content": SAY}], **more)
    if more.get("stream"):
        for _ in result:
            pass
    import_module("time").sleep(2)  # its callbacks run in a thread of their own


@case
def litellm__openai_cached() -> None:
    litellm_call(model=f"openai/{OPENAI}", metadata={"user_api_key_team_alias": "support"})


@case
def litellm__openai_stream() -> None:
    litellm_call(model=f"openai/{OPENAI}", stream=True, stream_options={"include_usage": True})


@case
def litellm__anthropic_cached() -> None:
    litellm_call(model=f"anthropic/{CLAUDE}")


# Langfuse


def langfuse_client() -> None:
    environment = import_module("os").environ
    environment.update({"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"})


@case
def langfuse__openai_cached() -> None:
    langfuse_client()
    module = import_module("langfuse.openai")
    module.OpenAI().chat.completions.create(model=OPENAI, messages=[{"role": "user", "content": SAY}], name="answer")
    import_module("langfuse").get_client().flush()


@case
def langfuse__openai_stream() -> None:
    langfuse_client()
    openai_stream(import_module("langfuse.openai").OpenAI())
    import_module("langfuse").get_client().flush()


# Strands


def strands_agent(model: Any, *, tools: bool) -> None:
    use_otlp()
    strands = import_module("strands")
    agent = strands.Agent(model=model, tools=[strands.tool(look_up_order)] if tools else [], callback_handler=None)
    agent(SAY)


@case
def strands__openai_agent() -> None:
    strands_agent(import_module("strands.models.openai").OpenAIModel(model_id=OPENAI), tools=True)


@case
def strands__anthropic_cached() -> None:
    model = import_module("strands.models.anthropic").AnthropicModel(model_id=CLAUDE, max_tokens=100)
    strands_agent(model, tools=False)


# Google ADK, with its bridge to LiteLLM: the vendor does not speak Gemini


def adk_run(model: str, *, tools: bool) -> None:
    use_otlp()
    agents, runners = import_module("google.adk.agents"), import_module("google.adk.runners")
    types = import_module("google.genai.types")
    lite = import_module("google.adk.models.lite_llm").LiteLlm(model=model)
    agent = agents.LlmAgent(name="helper", model=lite, tools=[look_up_order] if tools else [])

    async def run() -> None:
        runner = runners.InMemoryRunner(agent=agent, app_name="app")
        session = await runner.session_service.create_session(app_name="app", user_id="u1")
        message = types.Content(role="user", parts=[types.Part(text=SAY)])
        async for _ in runner.run_async(user_id="u1", session_id=session.id, new_message=message):
            pass

    asyncio.run(run())


@case
def google_adk__openai_agent() -> None:
    adk_run(f"openai/{OPENAI}", tools=True)


@case
def google_adk__anthropic_cached() -> None:
    adk_run(f"anthropic/{CLAUDE}", tools=False)


# Microsoft's agent framework


@case
def agent_framework__openai_agent() -> None:
    use_otlp()
    framework = import_module("agent_framework")
    import_module("agent_framework.observability").enable_instrumentation()
    client = import_module("agent_framework.openai").OpenAIChatCompletionClient(model=OPENAI)
    agent = framework.Agent(client=client, name="helper", instructions="Be brief.", tools=[look_up_order])
    asyncio.run(agent.run(SAY))


@case
def agent_framework__responses_cached() -> None:
    use_otlp()
    framework = import_module("agent_framework")
    import_module("agent_framework.observability").enable_instrumentation()
    client = import_module("agent_framework.openai").OpenAIChatClient(model=REASONING)
    asyncio.run(framework.Agent(client=client, name="helper", instructions="Be brief.").run(SAY))


# OpenLIT


def openlit_on() -> None:
    import_module("openlit").init(
        capture_message_content=False, disable_metrics=True, pricing_json="{}", disabled_instrumentors=["httpx"]
    )


@case
def openlit__openai_cached() -> None:
    openlit_on()
    import_module("openai").OpenAI().chat.completions.create(model=OPENAI, messages=[{"role": "user", "content": SAY}])


@case
def openlit__openai_stream() -> None:
    openlit_on()
    openai_stream()


@case
def openlit__anthropic_cached() -> None:
    openlit_on()
    claude()


if __name__ == "__main__":
    emitter_name, case_name = sys.argv[1:]
    if case_name == "--list":
        print(*CASES[emitter_name])  # noqa: T201 - what record.py reads
    else:
        CASES[emitter_name][case_name]()
