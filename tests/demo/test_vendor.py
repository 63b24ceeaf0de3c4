"""The demo's vendor, driven by the real clients."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from genai_prices import Usage, calc_price

from spanledger_collector.demo.bill import BillEntry
from spanledger_collector.demo.meters import Meters
from spanledger_collector.demo.vendor import VendorServer
from spanledger_collector.exceptions import InputError

ASK: Any = [{"role": "user", "content": "Where is my order?"}]


@pytest.fixture
def vendor() -> Iterator[VendorServer]:
    with VendorServer(stall_seconds=0.3) as server:
        yield server


@pytest.fixture
def gpt(vendor: VendorServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=vendor.url + "/v1", api_key="sk-support", max_retries=2) as client:
        yield client


@pytest.fixture
def claude(vendor: VendorServer) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=vendor.url, api_key="sk-research", max_retries=2) as client:
        yield client


def case(name: str, meters: Meters | None = None) -> dict[str, str]:
    usage = {"x-demo-usage": json.dumps(meters.as_json())} if meters else {}
    return {"x-demo-case": name, **usage}


def dollars(entry: BillEntry) -> Decimal:
    assert entry.amount_usd is not None
    return entry.amount_usd


def test_a_chat_completion_parses_and_is_billed_at_the_list_price(vendor: VendorServer, gpt: Any) -> None:
    answer = gpt.chat.completions.create(model="gpt-5-mini", messages=ASK)

    (entry,) = vendor.bill
    price = calc_price(
        Usage(input_tokens=120, output_tokens=30),
        "gpt-5-mini",
        provider_id="openai",
        genai_request_timestamp=datetime.now(UTC),
    )
    assert answer.usage is not None
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (120, 30)
    assert answer.model == "gpt-5-mini-2025-08-07"
    assert (entry.model, entry.model_raw, entry.response_id) == ("gpt-5-mini", answer.model, answer.id)
    assert (entry.api_key, entry.provider, entry.service_tier) == ("sk-support", "openai", "default")
    assert (entry.usage_told, entry.amount_usd) == (True, price.total_price)
    assert isinstance(entry.amount_usd, Decimal)


def test_a_stream_tells_its_usage_only_when_asked(vendor: VendorServer, gpt: Any) -> None:
    def last_usage(**options: object) -> Any:
        chunks = list(gpt.chat.completions.create(model="gpt-5-mini", messages=ASK, stream=True, **options))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == "Your order is on its way."
        return chunks[-1].usage

    told = last_usage(stream_options={"include_usage": True})
    silent = last_usage()

    assert told.prompt_tokens == 120
    assert silent is None
    assert [entry.usage_told for entry in vendor.bill] == [True, False]
    assert vendor.bill[0].amount_usd == vendor.bill[1].amount_usd


def test_cached_reasoning_and_tool_cases_reach_the_openai_client(vendor: VendorServer, gpt: Any) -> None:
    cached = gpt.chat.completions.create(model="gpt-6-luna", messages=ASK, extra_headers=case("cached"))
    reasoned = gpt.chat.completions.create(model="o4-mini", messages=ASK, extra_headers=case("reasoning"))
    tool = gpt.chat.completions.create(model="gpt-5-mini", messages=ASK, extra_headers=case("tool"))
    streamed = list(
        gpt.chat.completions.create(model="gpt-5-mini", messages=ASK, stream=True, extra_headers=case("tool")),
    )

    assert cached.usage.prompt_tokens_details.cached_tokens == 2000
    assert cached.usage.prompt_tokens_details.cache_write_tokens == 1000
    assert reasoned.usage.completion_tokens_details.reasoning_tokens == 448
    assert tool.choices[0].message.tool_calls[0].function.name == "look_up_order"
    assert tool.choices[0].finish_reason == streamed[-1].choices[0].finish_reason == "tool_calls"
    assert streamed[1].choices[0].delta.tool_calls[0].function.arguments == '{"order_id":"A-1042"}'


@pytest.mark.parametrize("name", ["plain", "reasoning", "tool"])
def test_responses_parse_whole_and_streamed(vendor: VendorServer, gpt: Any, name: str) -> None:
    whole = gpt.responses.create(model="gpt-5.1", input="Hello", extra_headers=case(name))
    events = list(gpt.responses.create(model="gpt-5.1", input="Hello", stream=True, extra_headers=case(name)))

    assert whole.usage == events[-1].response.usage
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert whole.output[0].type == ("function_call" if name == "tool" else "message")
    assert vendor.bill[0].meters == vendor.bill[1].meters == Meters.usual(name)


def test_responses_stream_helper_assembles_the_text(gpt: Any) -> None:
    with gpt.responses.stream(model="gpt-5.1", input="Hello") as stream:
        final = stream.get_final_response()

    assert final.output_text == "Your order is on its way."


def test_embeddings_parse_in_both_encodings_and_bill_input_only(vendor: VendorServer, gpt: Any) -> None:
    packed = gpt.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    plain = gpt.embeddings.create(model="text-embedding-3-small", input="a", encoding_format="float")

    assert len(packed.data) == 2
    assert packed.data[0].embedding == plain.data[0].embedding
    assert vendor.bill[0].meters == Meters(input_tokens=16, output_tokens=0)
    assert vendor.bill[0].amount_usd == Decimal("0.00000032")


@pytest.mark.parametrize("tier", ["flex", "priority"])
def test_a_service_tier_is_named_and_priced(vendor: VendorServer, gpt: Any, tier: str) -> None:
    gpt.chat.completions.create(model="gpt-5-mini", messages=ASK)
    answer = gpt.chat.completions.create(model="gpt-5-mini", messages=ASK, service_tier=tier)

    default, tiered = vendor.bill
    assert answer.service_tier == tiered.service_tier == tier
    assert (dollars(tiered) < dollars(default)) == (tier == "flex")
    assert dollars(tiered) != dollars(default)


def test_a_third_party_imitates_openai_and_has_no_price_for_a_foreign_model(vendor: VendorServer) -> None:
    with openai.OpenAI(base_url=vendor.url + "/compatible/v1", api_key="sk-labs") as client:
        known: Any = client.chat.completions.create(model="deepseek-v4-flash", messages=ASK)
        client.chat.completions.create(model="acme-internal-7b", messages=ASK)

    priced, unpriced = vendor.bill
    assert known.service_tier is None
    assert (priced.provider, priced.model) == ("deepseek", "deepseek-v4-flash")
    assert dollars(priced) > 0
    assert (unpriced.model, unpriced.amount_usd) == ("acme-internal-7b", None)


def test_a_third_party_is_reached_by_its_own_address_through_the_vendor_as_proxy(vendor: VendorServer) -> None:
    http_client = openai.DefaultHttpxClient(proxy=vendor.url)
    address = "http://api.deepseek.com/v1"
    with openai.OpenAI(base_url=address, api_key="sk-labs", http_client=http_client) as client:
        answer: Any = client.chat.completions.create(model="deepseek-v4-flash", messages=ASK)

    assert answer.usage.prompt_tokens == 120
    assert vendor.requests[0].headers["host"] == "api.deepseek.com"
    assert vendor.bill[0].provider == "deepseek"


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic_reports_uncached_input_and_the_cache_writes_by_time_to_live(
    vendor: VendorServer, claude: Any, stream: bool
) -> None:
    request = {"model": "claude-haiku-4-5", "max_tokens": 500, "messages": ASK, "extra_headers": case("cached")}
    if stream:
        with claude.messages.stream(**request) as events:
            message = events.get_final_message()
    else:
        message = claude.messages.create(**request)

    usage = message.usage
    assert message.model == "claude-haiku-4-5-20251001"
    assert (usage.input_tokens, usage.output_tokens) == (50, 60)
    assert (usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (2000, 1000)
    assert usage.cache_creation.ephemeral_5m_input_tokens == 600
    assert usage.cache_creation.ephemeral_1h_input_tokens == 400
    # 50 x 1 + 2000 x 0.10 + 600 x 1.25 + 400 x 2 + 60 x 5 dollars per million
    assert vendor.bill[0].amount_usd == Decimal("0.0021")


@pytest.mark.parametrize("name", ["plain", "reasoning", "tool"])
def test_anthropic_contents_are_the_same_whole_and_streamed(claude: Any, name: str) -> None:
    request = {"model": "claude-sonnet-5-5", "max_tokens": 500, "messages": ASK, "extra_headers": case(name)}
    whole = claude.messages.create(**request)
    with claude.messages.stream(**request) as events:
        streamed = events.get_final_message()

    assert [block.type for block in whole.content] == [block.type for block in streamed.content]
    assert whole.content[0].to_dict() == streamed.content[0].to_dict()
    assert (whole.stop_reason, whole.usage.output_tokens) == (streamed.stop_reason, streamed.usage.output_tokens)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, "BadRequestError"), (401, "AuthenticationError"), (429, "RateLimitError"), (500, "InternalServerError")],
)
def test_errors_reach_both_clients_and_are_never_billed(
    vendor: VendorServer, gpt: Any, claude: Any, status: int, error: str
) -> None:
    with pytest.raises(getattr(openai, error)):
        gpt.chat.completions.create(model="gpt-5-mini", messages=ASK, extra_headers=case(f"e{status}"))
    with pytest.raises(getattr(anthropic, error)):
        claude.messages.create(model="claude-haiku-4-5", max_tokens=5, messages=ASK, extra_headers=case(f"e{status}"))

    attempts = 3 if status in {429, 500} else 1
    assert len(vendor.requests) == 2 * attempts
    assert vendor.bill == []


def test_a_retried_request_is_billed_once(vendor: VendorServer, gpt: Any, claude: Any) -> None:
    gpt.chat.completions.create(model="gpt-5-mini", messages=ASK, extra_headers=case("retry"))
    claude.messages.create(model="claude-haiku-4-5", max_tokens=5, messages=ASK, extra_headers=case("retry"))

    assert len(vendor.requests) == 4
    assert [entry.usage_told for entry in vendor.bill] == [True, True]


def test_a_request_that_timed_out_is_billed_though_the_client_never_knows(vendor: VendorServer, gpt: Any) -> None:
    with pytest.raises(openai.APITimeoutError):
        gpt.with_options(timeout=0.1, max_retries=0).chat.completions.create(
            model="gpt-5-mini", messages=ASK, extra_headers=case("timeout")
        )

    (entry,) = vendor.bill
    assert dollars(entry) > 0
    assert entry.usage_told is False


def test_a_patient_client_gets_the_late_answer(vendor: VendorServer, gpt: Any) -> None:
    gpt.chat.completions.create(model="gpt-5-mini", messages=ASK, extra_headers=case("timeout"))

    assert [entry.usage_told for entry in vendor.bill] == [True]


def test_a_stream_cut_in_the_middle_is_billed_though_the_client_never_knows(
    vendor: VendorServer, gpt: Any, claude: Any
) -> None:
    options = {"include_usage": True}
    with pytest.raises(openai.APIConnectionError):
        list(
            gpt.chat.completions.create(
                model="gpt-5-mini", messages=ASK, stream=True, stream_options=options, extra_headers=case("midstream")
            )
        )
    with (
        pytest.raises(httpx2.RemoteProtocolError),
        claude.messages.stream(
            model="claude-haiku-4-5", max_tokens=5, messages=ASK, extra_headers=case("midstream")
        ) as stream,
    ):
        stream.get_final_message()

    assert [entry.usage_told for entry in vendor.bill] == [False, False]


def test_the_application_names_the_token_counts_to_bill(vendor: VendorServer, gpt: Any) -> None:
    meters = Meters(input_tokens=300_000, cache_read_tokens=1, output_tokens=7, reasoning_tokens=7)
    answer = gpt.chat.completions.create(model="gpt-6-luna", messages=ASK, extra_headers=case("plain", meters))

    assert answer.usage.prompt_tokens == 300_000
    assert vendor.bill[0].meters == meters


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"input_tokens": -1}, "input_tokens is -1"),
        ({"input_tokens": 1.5}, "input_tokens is 1.5"),
        ({"input_tokens": 10, "cache_read_tokens": 11}, "parts of input_tokens"),
        ({"cache_write_tokens": 1, "cache_write_1h_tokens": 2}, "part of cache_write_tokens"),
        ({"output_tokens": 1, "reasoning_tokens": 2}, "part of output_tokens"),
        ({"tokens": 1}, "unknown meters: tokens"),
        ([1], "must be a JSON object"),
    ],
)
def test_counts_that_no_vendor_could_bill_are_refused(
    vendor: VendorServer, gpt: Any, counts: object, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Meters.from_json(counts)
    with pytest.raises(openai.BadRequestError, match=message):
        gpt.chat.completions.create(
            model="gpt-5-mini", messages=ASK, extra_headers={"x-demo-usage": json.dumps(counts)}
        )
    assert vendor.bill == []


def test_what_is_not_served_is_refused_politely(vendor: VendorServer, gpt: Any) -> None:
    with pytest.raises(openai.NotFoundError, match="nothing is served at /v1/moderations"):
        gpt.moderations.create(input="x")
    with pytest.raises(openai.BadRequestError, match="names no model"):
        gpt.post("/chat/completions", cast_to=object, body={"messages": ASK})


def test_response_ids_never_repeat(vendor: VendorServer, gpt: Any) -> None:
    for _ in range(20):
        gpt.chat.completions.create(model="gpt-5-mini", messages=ASK)

    assert len({entry.response_id for entry in vendor.bill}) == 20


async def ask_both(url: str) -> None:
    async with openai.AsyncOpenAI(base_url=url + "/v1", api_key="k") as gpt:
        await gpt.chat.completions.create(model="gpt-5-mini", messages=ASK)
    async with anthropic.AsyncAnthropic(base_url=url, api_key="k") as claude:
        await claude.messages.create(model="claude-haiku-4-5", max_tokens=5, messages=ASK)


def test_asynchronous_clients_are_served_too(vendor: VendorServer) -> None:
    import asyncio

    asyncio.run(ask_both(vendor.url))

    assert len(vendor.bill) == 2
