"""The interop test service on python3-grpcio, for clients of other stacks.

Prints one JSON object a line: {"event": "listening", "port": N}, then {"event": "call_ended", "call_id": ID} for each call that carried
x-interop-call-id, whatever its end was: the cases that look at it never half-close, so only a cancel or a deadline can end them. Ends when its standard input closes, so that it cannot outlive the test that started it.
"""

import argparse
import asyncio
import json
import sys

import grpc

import contract

CONTRACT = contract.load()
Empty = CONTRACT.message("grpc.testing.Empty")
SimpleResponse = CONTRACT.message("grpc.testing.SimpleResponse")
StreamingInputCallResponse = CONTRACT.message("grpc.testing.StreamingInputCallResponse")
StreamingOutputCallResponse = CONTRACT.message("grpc.testing.StreamingOutputCallResponse")

REPEATED = ("x-interop-repeated", "x-interop-repeated-bin")


def report(**event):
    print(json.dumps(event), flush=True)


async def observe(context):
    """Echoes the metadata asked for, and reports the end of the call when it carries an id."""
    request = dict(context.invocation_metadata())
    trailing = []
    if "x-interop-call-id" in request:
        context.add_done_callback(lambda _: report(event="call_ended", call_id=request["x-interop-call-id"]))
    if "x-grpc-test-echo-initial" in request:
        await context.send_initial_metadata([("x-grpc-test-echo-initial", request["x-grpc-test-echo-initial"])])
    if "x-grpc-test-echo-trailing-bin" in request:
        trailing.append(("x-grpc-test-echo-trailing-bin", request["x-grpc-test-echo-trailing-bin"]))
    if "x-interop-echo-deadline" in request:
        remaining = context.time_remaining()
        trailing.append(("x-interop-time-remaining-ms", "none" if remaining is None else str(int(remaining * 1000))))
    if "x-interop-echo-repeated" in request:
        trailing += [(key, value) for key, value in context.invocation_metadata() if key in REPEATED]
    context.set_trailing_metadata(trailing)


async def end_with(context, status):
    codes = {code.value[0]: code for code in grpc.StatusCode}
    await context.abort(codes.get(status.code, grpc.StatusCode.UNKNOWN), status.message)


async def responses_to(request, context):
    """Public rule: a status in the request ends the call before this request's own responses."""
    if request.HasField("response_status") and request.response_status.code != 0:
        await end_with(context, request.response_status)
    for parameters in request.response_parameters:
        if parameters.interval_us:
            await asyncio.sleep(parameters.interval_us / 1_000_000)
        response = StreamingOutputCallResponse()
        response.payload.body = bytes(parameters.size)
        yield response


class TestService:
    async def EmptyCall(self, _request, context):
        await observe(context)
        return Empty()

    async def UnaryCall(self, request, context):
        await observe(context)
        if request.HasField("response_status") and request.response_status.code != 0:
            await end_with(context, request.response_status)
        response = SimpleResponse()
        response.payload.body = bytes(request.response_size)
        return response

    async def StreamingOutputCall(self, request, context):
        await observe(context)
        async for response in responses_to(request, context):
            yield response

    async def StreamingInputCall(self, requests, context):
        await observe(context)
        total = 0
        async for request in requests:
            total += len(request.payload.body)
        return StreamingInputCallResponse(aggregated_payload_size=total)

    async def FullDuplexCall(self, requests, context):
        await observe(context)
        async for request in requests:
            async for response in responses_to(request, context):
                yield response

    async def HalfDuplexCall(self, requests, context):
        await observe(context)
        for request in [request async for request in requests]:
            async for response in responses_to(request, context):
                yield response


def read(path):
    with open(path, "rb") as file:
        return file.read()


def listen(server, options):
    if not options.tls:
        return server.add_insecure_port("127.0.0.1:0")
    ca, certificate, key = map(read, options.tls)
    credentials = grpc.ssl_server_credentials([(key, certificate)], root_certificates=ca, require_client_auth=True)
    return server.add_secure_port("127.0.0.1:0", credentials)


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gzip", action="store_true", help="compress responses")
    parser.add_argument("--tls", nargs=3, metavar=("CA", "CERT", "KEY"), help="require a client certificate signed by CA")
    options = parser.parse_args()

    server = grpc.aio.server(compression=grpc.Compression.Gzip if options.gzip else None)
    server.add_generic_rpc_handlers((CONTRACT.handler("grpc.testing.TestService", TestService()),))
    port = listen(server, options)
    if port == 0:
        sys.exit("could not listen")
    await server.start()
    report(event="listening", port=port)

    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(grace=0)


asyncio.run(main())
