"""The call kinds, sizes and counts: the cases that end well."""

import asyncio

import grpc

import expect

MESSAGE_LIMIT = 4 * 1024 * 1024
# A payload field and its body field: one tag byte and a four-byte length each, for bodies of 2 MiB to 256 MiB.
PAYLOAD_OVERHEAD = 10
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def input_request(run, size):
    request = run.contract.message("grpc.testing.StreamingInputCallRequest")()
    request.payload.body = bytes(size)
    return request


def output_request(run, sizes=(), payload=0, interval_us=0):
    request = run.contract.message("grpc.testing.StreamingOutputCallRequest")()
    for size in sizes:
        request.response_parameters.add(size=size, interval_us=interval_us)
    if payload:
        request.payload.body = bytes(payload)
    return request


def simple_request(run, response_size=0, payload=0):
    request = run.contract.message("grpc.testing.SimpleRequest")(response_size=response_size)
    if payload:
        request.payload.body = bytes(payload)
    return request


def empty(run):
    return run.contract.message("grpc.testing.Empty")()


@case
async def empty_unary(run):
    expect.equal(empty(run), await run.stub.EmptyCall(empty(run)), "response")


@case
async def large_unary(run):
    response = await run.stub.UnaryCall(simple_request(run, response_size=314159, payload=271828))
    expect.zeros(314159, response.payload.body, "response payload")


@case
async def client_streaming(run):
    sizes = (27182, 8, 1828, 45904)
    response = await run.stub.StreamingInputCall(input_request(run, size) for size in sizes)
    expect.equal(sum(sizes), response.aggregated_payload_size, "aggregated size")


@case
async def server_streaming(run):
    sizes = (31415, 9, 2653, 58979)
    responses = await expect.end_of(run.stub.StreamingOutputCall(output_request(run, sizes)))
    expect.equal(sizes, tuple(len(response.payload.body) for response in responses), "response sizes")


@case
async def ping_pong(run):
    call = run.stub.FullDuplexCall()
    for response_size, payload in ((31415, 27182), (9, 8), (2653, 1828), (58979, 45904)):
        await call.write(output_request(run, [response_size], payload))
        expect.zeros(response_size, (await call.read()).payload.body, "response payload")
    await call.done_writing()
    await expect.ends(call)


@case
async def empty_stream(run):
    call = run.stub.FullDuplexCall()
    await call.done_writing()
    await expect.ends(call)


@case
async def empty_messages(run):
    """Messages of zero bytes keep their place in a stream; with gzip they are the ones a sender may not compress to nothing."""
    call = run.stub.FullDuplexCall()
    for _ in range(3):
        await call.write(output_request(run))
        await call.write(output_request(run, [0]))
        expect.zeros(0, (await call.read()).payload.body, "response payload")
    await call.done_writing()
    await expect.ends(call)


@case
async def half_close(run):
    """Everything the server still sends after the client's half close arrives."""
    sizes = [7, 0, 31415]
    call = run.stub.HalfDuplexCall()
    for size in sizes:
        await call.write(output_request(run, [size]))
    await call.done_writing()
    expect.equal(sizes, [len(response.payload.body) for response in await expect.end_of(call)], "sizes after half close")

    call = run.stub.FullDuplexCall()
    await call.write(output_request(run, sizes, interval_us=50_000))
    await call.done_writing()
    expect.equal(sizes, [len(response.payload.body) for response in await expect.end_of(call)], "delayed sizes after half close")


@case
async def request_at_limit(run):
    payload = MESSAGE_LIMIT - PAYLOAD_OVERHEAD
    request = simple_request(run, payload=payload)
    expect.equal(MESSAGE_LIMIT, request.ByteSize(), "request bytes")
    expect.zeros(0, (await run.stub.UnaryCall(request)).payload.body, "response payload")
    response = await run.stub.StreamingInputCall(input_request(run, payload) for _ in range(3))
    expect.equal(3 * payload, response.aggregated_payload_size, "aggregated size")


@case
async def request_over_limit(run):
    request = simple_request(run, payload=MESSAGE_LIMIT - PAYLOAD_OVERHEAD + 1)
    await expect.status(grpc.StatusCode.RESOURCE_EXHAUSTED, run.stub.UnaryCall(request))
    await empty_unary(run)


@case
async def response_at_limit(run):
    size = MESSAGE_LIMIT - PAYLOAD_OVERHEAD
    response = await run.stub.UnaryCall(simple_request(run, response_size=size))
    expect.equal(MESSAGE_LIMIT, response.ByteSize(), "response bytes")
    responses = await expect.end_of(run.stub.StreamingOutputCall(output_request(run, [size] * 3)))
    expect.equal([size] * 3, [len(response.payload.body) for response in responses], "response sizes")


@case
async def response_over_limit(run):
    request = simple_request(run, response_size=MESSAGE_LIMIT - PAYLOAD_OVERHEAD + 1)
    await expect.status(grpc.StatusCode.RESOURCE_EXHAUSTED, run.stub.UnaryCall(request))
    await empty_unary(run)


@case
async def long_server_stream(run):
    sizes = [index % 97 for index in range(run.params["messages"])]
    responses = await expect.end_of(run.stub.StreamingOutputCall(output_request(run, sizes)))
    expect.equal(sizes, [len(response.payload.body) for response in responses], "response sizes")


@case
async def long_client_stream(run):
    sizes = [index % 97 for index in range(run.params["messages"])]
    response = await run.stub.StreamingInputCall(input_request(run, size) for size in sizes)
    expect.equal(sum(sizes), response.aggregated_payload_size, "aggregated size")


@case
async def long_duplex_stream(run):
    """Both directions full at once: the writer never waits for the reader."""
    sizes = [index % 97 for index in range(run.params["messages"])]
    call = run.stub.FullDuplexCall(output_request(run, [size], payload=size) for size in sizes)
    expect.equal(sizes, [len(response.payload.body) for response in await expect.end_of(call)], "response sizes")


@case
async def upload_with_pause(run):
    """40 MiB in one stream that is silent for longer than a server's upload limits, idle timers and first keep-alive PINGs."""
    call = run.stub.StreamingInputCall()
    for size in [1024 * 1024] * 20:
        await call.write(input_request(run, size))
    await asyncio.sleep(run.params["pause_s"])
    for size in [1024 * 1024] * 20:
        await call.write(input_request(run, size))
    await call.done_writing()
    expect.equal(40 * 1024 * 1024, (await call).aggregated_payload_size, "aggregated size")


@case
async def concurrent_streams(run):
    """All streams are open at once: none is finished before each of them has had its first answer."""
    calls = [run.stub.FullDuplexCall() for _ in range(run.params["streams"])]

    async def first_answer(index, call):
        await call.write(output_request(run, [index % 1000 + 1]))
        expect.zeros(index % 1000 + 1, (await call.read()).payload.body, f"stream {index}")

    async def finish(call):
        await call.done_writing()
        await expect.ends(call)

    await asyncio.gather(*(first_answer(index, call) for index, call in enumerate(calls)))
    await asyncio.gather(*(finish(call) for call in calls))
