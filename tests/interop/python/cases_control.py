"""Metadata, statuses, deadlines and cancellation: the cases about how calls are steered and how they fail."""

import asyncio

import grpc

import expect
from cases import empty, input_request, output_request, simple_request

CASES = {}
CODES = {code.value[0]: code for code in grpc.StatusCode}
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


def case(function):
    CASES[function.__name__] = function
    return function


def with_status(request, code, message):
    request.response_status.code = code
    request.response_status.message = message
    return request


@case
async def custom_metadata(run):
    every_byte = bytes(range(256))
    sent = ((INITIAL, "test_initial_metadata_value"), (TRAILING, b"\xab\xab\xab" + every_byte))

    call = run.stub.UnaryCall(simple_request(run, response_size=314159, payload=271828), metadata=sent)
    expect.zeros(314159, (await call).payload.body, "response payload")
    await _expect_echo(call, sent)

    call = run.stub.FullDuplexCall(metadata=sent)
    await call.write(output_request(run, [314159], payload=271828))
    expect.zeros(314159, (await call.read()).payload.body, "response payload")
    await call.done_writing()
    await expect.ends(call)
    await _expect_echo(call, sent)


async def _expect_echo(call, sent):
    expect.equal(sent[0][1], expect.values(await call.initial_metadata()).get(INITIAL), "initial metadata")
    expect.equal(sent[1][1], expect.values(await call.trailing_metadata()).get(TRAILING), "trailing metadata")


@case
async def repeated_metadata(run):
    """Every value of a key arrives, in order. Text values may be joined on the way, as HTTP allows; binary ones may not stay so."""
    texts, blobs = ["one", "two", "three"], [b"", b"\x00", b"\x01\x02\x03\xff"]
    sent = [("x-interop-echo-repeated", "1")]
    sent += [("x-interop-repeated", text) for text in texts] + [("x-interop-repeated-bin", blob) for blob in blobs]
    call = run.stub.EmptyCall(empty(run), metadata=tuple(sent))
    await call
    trailing = list(await call.trailing_metadata())
    seen = [part.strip() for key, value in trailing if key == "x-interop-repeated" for part in value.split(",")]
    expect.equal(texts, seen, "text values")
    expect.equal(blobs, [value for key, value in trailing if key == "x-interop-repeated-bin"], "binary values")


@case
async def metadata_with_error(run):
    """Both kinds of metadata also arrive with a call that fails."""
    sent = ((INITIAL, "seen"), (TRAILING, b"\x00\xff"))
    request = with_status(simple_request(run), 9, "not now")
    error = await expect.status(grpc.StatusCode.FAILED_PRECONDITION, run.stub.UnaryCall(request, metadata=sent), "not now")
    expect.equal("seen", expect.values(error.initial_metadata()).get(INITIAL), "initial metadata")
    expect.equal(b"\x00\xff", expect.values(error.trailing_metadata()).get(TRAILING), "trailing metadata")


@case
async def status_code_and_message(run):
    await _status_before_message(run, 2, "test status message")
    call = run.stub.FullDuplexCall()
    await call.write(with_status(output_request(run), 2, "test status message"))
    await call.done_writing()
    await expect.status(grpc.StatusCode.UNKNOWN, expect.end_of(call), "test status message")


@case
async def special_status_message(run):
    await expect.status(
        grpc.StatusCode.UNKNOWN, run.stub.UnaryCall(with_status(simple_request(run), 2, SPECIAL_MESSAGE)), SPECIAL_MESSAGE
    )


@case
async def status_before_message(run):
    await _status_before_message(run, run.params["code"], f"code {run.params['code']} of 100% \u00fc")


async def _status_before_message(run, code, message):
    await expect.status(CODES[code], run.stub.UnaryCall(with_status(simple_request(run), code, message)), message)
    stream = run.stub.StreamingOutputCall(with_status(output_request(run), code, message))
    await expect.status(CODES[code], expect.end_of(stream), message)


@case
async def status_after_message(run):
    code = run.params["code"]
    call = run.stub.FullDuplexCall()
    await call.write(output_request(run, [17, 0]))
    expect.zeros(17, (await call.read()).payload.body, "first response")
    expect.zeros(0, (await call.read()).payload.body, "second response")
    await call.write(with_status(output_request(run), code, f"after {code}"))
    await expect.status(CODES[code], expect.rest_of(call), f"after {code}")


@case
async def unimplemented_method(run):
    await expect.status(grpc.StatusCode.UNIMPLEMENTED, run.stub.UnimplementedCall(empty(run)))


@case
async def unimplemented_service(run):
    stub = run.stub_of("grpc.testing.UnimplementedService")
    await expect.status(grpc.StatusCode.UNIMPLEMENTED, stub.UnimplementedCall(empty(run)))


@case
async def cancel_after_begin(run):
    # Needs a connection first, or the cancel would never leave this process.
    await run.stub.EmptyCall(empty(run))
    call = run.stub.StreamingInputCall(metadata=_call_id(run))
    await call.write(input_request(run, 1))
    call.cancel()
    expect.equal(grpc.StatusCode.CANCELLED, await call.code(), "status code")


@case
async def cancel_after_first_response(run):
    call = run.stub.FullDuplexCall(metadata=_call_id(run))
    await call.write(output_request(run, [31415], payload=27182))
    expect.zeros(31415, (await call.read()).payload.body, "response payload")
    call.cancel()
    expect.equal(grpc.StatusCode.CANCELLED, await call.code(), "status code")


def _call_id(run):
    return (("x-interop-call-id", run.params["call_id"]),) if "call_id" in run.params else None


@case
async def timeout_on_sleeping_server(run):
    call = run.stub.FullDuplexCall(timeout=0.001)
    try:
        await call.write(output_request(run, payload=27182))
    except asyncio.InvalidStateError:
        pass  # The deadline was faster than the write, which is also what the case is about.
    except grpc.aio.AioRpcError as error:
        expect.equal(grpc.StatusCode.DEADLINE_EXCEEDED, error.code(), "status code of the write")
    expect.equal(grpc.StatusCode.DEADLINE_EXCEEDED, await call.code(), "status code")


@case
async def deadline_before_first_message(run):
    request = output_request(run, [1], interval_us=20_000_000)
    stream = run.stub.StreamingOutputCall(request, timeout=0.3, metadata=_call_id(run))
    await expect.status(grpc.StatusCode.DEADLINE_EXCEEDED, expect.end_of(stream))


@case
async def deadline_after_message(run):
    request = output_request(run, [5])
    request.response_parameters.add(size=6, interval_us=20_000_000)
    call = run.stub.StreamingOutputCall(request, timeout=0.5, metadata=_call_id(run))
    expect.zeros(5, (await call.read()).payload.body, "response payload")
    await expect.status(grpc.StatusCode.DEADLINE_EXCEEDED, expect.rest_of(call))


@case
async def deadline_already_past(run):
    await expect.status(grpc.StatusCode.DEADLINE_EXCEEDED, run.stub.EmptyCall(empty(run), timeout=-1))


@case
async def deadline_reaches_server(run):
    """The server sees about the time that the client gave, and none when the client gave none."""
    for timeout in (0.9, 25.0, 7200.0, 1_000_000.0):
        call = run.stub.EmptyCall(empty(run), timeout=timeout, metadata=(("x-interop-echo-deadline", "1"),))
        await call
        remaining = int(expect.values(await call.trailing_metadata())["x-interop-time-remaining-ms"])
        # This stack rounds up when it writes grpc-timeout, by less than a hundredth.
        if not timeout * 1000 * 0.5 <= remaining <= timeout * 1000 * 1.01:
            raise AssertionError(f"timeout {timeout} s: the server saw {remaining} ms left")
    call = run.stub.EmptyCall(empty(run), metadata=(("x-interop-echo-deadline", "1"),))
    await call
    expect.equal("none", expect.values(await call.trailing_metadata())["x-interop-time-remaining-ms"], "time left without a deadline")


@case
async def unavailable(run):
    """The connection is refused, or TLS does not come about."""
    await expect.status(grpc.StatusCode.UNAVAILABLE, run.stub.EmptyCall(empty(run)))


@case
async def server_goes_away(run):
    """A live stream ends with UNAVAILABLE when the server stops under it."""
    call = run.stub.FullDuplexCall()
    await call.write(output_request(run, [3]))
    expect.zeros(3, (await call.read()).payload.body, "response payload")
    run.progress("streaming")
    await expect.status(grpc.StatusCode.UNAVAILABLE, expect.rest_of(call))
