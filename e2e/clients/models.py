"""Instrumented clients of the model server that counts. Prints what it counted.

usage: models.py INSTRUMENTATIONS PROTOCOL ADDRESS [gzip]

INSTRUMENTATIONS, joined by `+`: openai-v2, openinference (both of the OpenAI SDK);
anthropic (that SDK by itself: it makes its own spans), openinference-anthropic.
"""

import json
import sys

import fake_model
from export import Providers

QUESTION = [{"role": "user", "content": "SECRET-IN-THE-QUESTION"}]


def main():
    asked, protocol, address = sys.argv[1:4]
    url, counted = fake_model.start()
    providers = Providers(f"e2e-{asked}", protocol, address, "gzip" in sys.argv[4:])
    kinds = asked.split("+")
    instrument(kinds, providers)
    tracer = providers.tracer.get_tracer("e2e")
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "SECRET-AGENT"}
    with tracer.start_as_current_span("invoke_agent", attributes=agent):
        if any(kind.endswith("anthropic") for kind in kinds):
            talk_anthropic(url)
        else:
            talk_openai(url, tracer)
    providers.flush()
    providers.end()
    print(json.dumps(counted.calls))


def instrument(kinds, providers):
    from opentelemetry import trace

    # The Anthropic SDK asks for the global one.
    trace.set_tracer_provider(providers.tracer)
    if "openai-v2" in kinds:
        from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

        OpenAIInstrumentor().instrument(
            tracer_provider=providers.tracer,
            logger_provider=providers.logger,
            meter_provider=providers.meter,
        )
    if "openinference" in kinds:
        from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference

        OpenInference().instrument(tracer_provider=providers.tracer)
    if "openinference-anthropic" in kinds:
        from openinference.instrumentation.anthropic import AnthropicInstrumentor

        AnthropicInstrumentor().instrument(tracer_provider=providers.tracer)


def talk_openai(url, tracer):
    import openai

    client = openai.OpenAI(base_url=f"{url}/v1", api_key="SECRET-KEY", max_retries=0)
    for model in ("fake-plain", "fake-plain", "fake-reasoning", "fake-cached"):
        client.chat.completions.create(model=model, messages=QUESTION)
    called = client.chat.completions.create(model="fake-tools", messages=QUESTION)
    for call in called.choices[0].message.tool_calls:
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.function.name,
            "gen_ai.tool.call.id": call.id,
            "gen_ai.tool.call.arguments": call.function.arguments,
        }
        with tracer.start_as_current_span("execute_tool search", attributes=attributes):
            pass
    for model in ("fake-plain", "fake-cached"):
        stream = client.chat.completions.create(
            model=model,
            messages=QUESTION,
            stream=True,
            stream_options={"include_usage": True},
        )
        for _ in stream:
            pass
    client.embeddings.create(model="fake-embedding", input="SECRET-TO-EMBED")
    fail(lambda model: client.chat.completions.create(model=model, messages=QUESTION))
    # One call, whose first try the client itself tries again.
    patient = client.with_options(max_retries=2)
    patient.chat.completions.create(model="fake-flaky", messages=QUESTION, user="once")


def talk_anthropic(url):
    import anthropic

    client = anthropic.Anthropic(base_url=url, api_key="SECRET-KEY", max_retries=0)

    def create(model, **more):
        return client.messages.create(model=model, max_tokens=9, messages=QUESTION, **more)

    for model in ("fake-plain", "fake-cached", "fake-cached"):
        create(model)
    for _ in create("fake-plain", stream=True):
        pass
    with client.messages.stream(model="fake-cached", max_tokens=9, messages=QUESTION) as stream:
        for _ in stream.text_stream:
            pass
    fail(create)


def fail(call):
    for model in ("fake-429", "fake-500", "fake-429"):
        try:
            call(model)
        except Exception as error:  # the classes of two SDKs
            assert type(error).__name__ in ("RateLimitError", "InternalServerError"), error
        else:
            raise AssertionError(f"{model} did not fail")


main()
