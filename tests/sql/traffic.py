"""Random traffic of calls, wrappers, doubles, gateways, forks and repeated ids, and what it truly is, in plain Python."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from tests.otlp import SpanSpec, agent, chat, new_id

TEAM = "spanledger.team"


@dataclass
class Traffic:
    """Random traces, and what they truly are: (hour, team, agent, model) -> calls, without usage, input, output."""

    dice: random.Random
    start: float
    spans: list[SpanSpec] = field(default_factory=list)
    truth: dict[tuple[int, str, str, str], Counter[str]] = field(default_factory=dict)

    def true_call(self, at: float, team: str, agent_name: str, model: str, tokens: tuple[int, int] | None) -> None:
        counts = self.truth.setdefault((int(at // 3600), team, agent_name, model), Counter())
        counts.update(
            calls=1, no_usage=tokens is None, input=tokens[0] if tokens else 0, output=tokens[1] if tokens else 0
        )

    def call(
        self,
        trace: int,
        parent: int,
        at: float,
        team: str,
        *,
        agent_name: str = "",
        tagged: bool = True,
        usage: bool = True,
        double: bool = False,
        gateway: bool = False,
        response: str = "",
    ) -> tuple[int, int]:
        seconds, tokens = self.dice.uniform(0.2, 40), (self.dice.randint(1, 5000), self.dice.randint(1, 900))
        model = self.dice.choice(["gpt-4o-mini", "gpt-4o"])
        extra = {
            "gen_ai.response.id": response or f"chatcmpl-{new_id():032x}",
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            TEAM: team if tagged else None,
        }
        sent = tokens if usage else None
        if double:
            outer = chat(
                at - 0.01,
                seconds=seconds + 0.02,
                tokens=sent,
                trace=trace,
                parent=parent,
                scope="openinference.instrumentation.x",
                extra=extra,
            )
            self.spans.append(outer)
            parent = outer.span
        if self.dice.random() < 0.4:
            link = SpanSpec(at - 0.005, at + seconds + 0.005, {}, trace=trace, parent=parent, name="POST", scope="http")
            self.spans.append(link)
            parent = link.span
        own = chat(at, seconds=seconds, tokens=sent, trace=trace, parent=parent, extra=extra)
        self.spans.append(own)
        self.true_call(own.start, team, agent_name, model, sent)
        if gateway:
            off = self.dice.uniform(0.01, 0.1)
            self.spans.append(
                chat(
                    at + off,
                    seconds=max(seconds - 2 * off, 0.01),
                    tokens=tokens,
                    service="gateway",
                    extra={**extra, TEAM: "platform"},
                )
            )
        return tokens

    def trace(self) -> None:
        at = self.start + self.dice.uniform(0, 6 * 3600)
        if self.dice.random() < 0.3:
            at = self.start + 3600 * self.dice.randint(1, 5) - self.dice.uniform(0, 2)  # straddles an hour
        team, trace, chance = self.dice.choice(["a", "b", "c"]), new_id(), self.dice.random
        kind = self.dice.randrange(7)
        if kind == 0:
            self.call(trace, 0, at, team, double=chance() < 0.5)
        elif kind == 1:
            self.call(trace, 0, at, team, gateway=True)
        elif kind == 2:
            self.agent_with_calls(trace, at, team)
        elif kind == 3:
            tokens = (self.dice.randint(1, 9000), self.dice.randint(1, 900))
            whole = agent(
                at,
                seconds=30,
                tokens=tokens,
                agent_name="solo",
                trace=trace,
                extra={TEAM: team, "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"},
            )
            self.spans.append(whole)
            self.spans += [
                chat(at + 1 + number, tokens=None, trace=trace, parent=whole.span, extra={TEAM: team})
                for number in range(self.dice.randint(0, 2))
            ]
            self.true_call(at, team, "solo", "gpt-4o", tokens)
        elif kind == 4:
            self.call(trace, 0, at, team, usage=False)
        elif kind == 5:
            self.call(trace, 0, at, team, response="chatcmpl-213")
            self.call(new_id(), 0, at + self.dice.uniform(50, 5000), team, response="chatcmpl-213")
        else:
            self.call(trace, 0, at, team)
            self.spans.append(
                replace(
                    self.spans[-1],
                    trace=new_id(),
                    span=new_id(),
                    parent=0,
                    start=self.spans[-1].start + 7200,
                    end=self.spans[-1].end + 7200,
                )
            )

    def agent_with_calls(self, trace: int, at: float, team: str) -> None:
        count, name = self.dice.randint(1, 4), self.dice.choice(["planner", "coder"])
        whole = agent(at, seconds=count * 45 + 5, agent_name=name, trace=trace, extra={TEAM: team})
        self.spans.append(whole)
        lost = self.dice.random() < 0.2
        total = [0, 0]
        for number in range(count):
            parent = new_id() if lost else whole.span
            tokens = self.call(
                trace,
                parent,
                at + 1 + 45 * number,
                team,
                agent_name=name,
                tagged=False,
                double=self.dice.random() < 0.3,
                gateway=False,
            )
            total = [total[0] + tokens[0], total[1] + tokens[1]]
        if self.dice.random() < 0.8:
            whole.attributes = {
                **whole.attributes,
                "gen_ai.usage.input_tokens": total[0],
                "gen_ai.usage.output_tokens": total[1],
            }
