"""Assertions that say what was expected and what was seen."""

import grpc


def values(metadata):
    """Metadata as a plain dict: dict(metadata) does not work on this version's type, which is a mapping that iterates over pairs."""
    return {key: value for key, value in metadata}


def equal(expected, seen, what):
    if expected != seen:
        raise AssertionError(f"{what}: expected {expected!r}, saw {seen!r}")


def zeros(size, body, what):
    equal(size, len(body), f"{what} size")
    if body.count(0) != size:
        raise AssertionError(f"{what}: a byte that is not zero")


async def status(code, call, message=None):
    """The call, an awaitable or an async iterator's end, fails with this status. Returns the error for its metadata."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        equal(code, error.code(), f"status code (message {error.details()!r})")
        if message is not None:
            equal(message, error.details(), "status message")
        return error
    raise AssertionError(f"expected {code}, the call succeeded")


async def end_of(stream):
    """Reads a response stream to its end and returns the responses; raises the call's status."""
    return [response async for response in stream]


async def rest_of(call):
    """As end_of, for a call that was read with read() before: the two ways may not be mixed on one call."""
    responses = []
    while (response := await call.read()) is not grpc.aio.EOF:
        responses.append(response)
    return responses


async def ends(call):
    """The next read of a streaming call is its end."""
    equal(grpc.aio.EOF, await call.read(), "end of stream")
    equal(grpc.StatusCode.OK, await call.code(), "status of the stream")
