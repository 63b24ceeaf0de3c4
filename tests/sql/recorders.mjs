// Makes the calls of Vercel's AI SDK that record.py records; runs beside its own node_modules.
import { NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import * as ai from "ai";
import { createOpenAI } from "@ai-sdk/openai";
import { z } from "zod";

const prompt = "Where is my order?";
const openai = createOpenAI({ apiKey: "key", baseURL: process.env.OPENAI_BASE_URL });
const telemetry = { isEnabled: true, functionId: "answer", metadata: { userId: "u1", sessionId: "s1" } };
const more = { experimental_telemetry: telemetry };

const cases = {
  generate_cached: () => ai.generateText({ model: openai.chat("gpt-4o-mini"), prompt, ...more }),
  responses_cached: () => ai.generateText({ model: openai.responses("gpt-5-mini"), prompt, ...more }),
  stream_cached: async () => {
    const { textStream } = ai.streamText({ model: openai.chat("gpt-4o-mini"), prompt, ...more });
    for await (const _ of textStream);
  },
  tools_agent: () =>
    ai.generateText({
      model: openai.chat("gpt-4o-mini"),
      prompt,
      ...more,
      stopWhen: ai.stepCountIs?.(3),
      maxSteps: 3,
      tools: {
        look_up_order: ai.tool({
          inputSchema: z.object({ order_id: z.string() }),
          parameters: z.object({ order_id: z.string() }),
          execute: async () => "on its way",
        }),
      },
    }),
  embed_cached: () => ai.embed({ model: openai.textEmbeddingModel("text-embedding-3-small"), value: prompt, ...more }),
};

const name = process.argv[2];
if (name === "--list") {
  console.log(Object.keys(cases).join(" "));
} else {
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(new OTLPTraceExporter())] });
  provider.register();
  if (ai.registerTelemetry) {
    const { OpenTelemetry } = await import("@ai-sdk/otel");
    ai.registerTelemetry(new OpenTelemetry());
  }
  await cases[name]();
  await provider.shutdown();
}
