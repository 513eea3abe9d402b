"""Runs interop cases of python3-grpcio against a server of another stack.

Reads one JSON object a line from standard input:
  {"id": 1, "case": "ping_pong", "target": "localhost:50051", "timeout_s": 30, "gzip": false, "tls": {"ca", "cert", "key"}, "params": {}}
and answers {"id": 1, "progress": TEXT} zero or more times, then {"id": 1, "ok": BOOL, "detail": TEXT}. Cases run one after another.
"""

import asyncio
import faulthandler
import json
import sys
import traceback

import grpc

import cases
import cases_control
import cases_services
import contract

CASES = {**cases.CASES, **cases_control.CASES, **cases_services.CASES}


class Run:
    """What a case gets: a channel, its parameters, and a way to tell the test how far it is."""

    def __init__(self, request, channel, definition):
        self.channel = channel
        self.contract = definition
        self.params = request.get("params") or {}
        self.stub = definition.stub(channel, "grpc.testing.TestService")
        self._id = request["id"]

    def progress(self, text):
        answer(id=self._id, progress=text)

    def stub_of(self, service):
        return self.contract.stub(self.channel, service)


def answer(**fields):
    print(json.dumps(fields), flush=True)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def open_channel(request):
    compression = grpc.Compression.Gzip if request.get("gzip") else None
    tls = request.get("tls")
    if not tls:
        return grpc.aio.insecure_channel(request["target"], compression=compression)
    certificate, key = (read(tls["cert"]), read(tls["key"])) if tls.get("cert") else (None, None)
    credentials = grpc.ssl_channel_credentials(read(tls["ca"]), key, certificate)
    return grpc.aio.secure_channel(request["target"], credentials, compression=compression)


async def run(request, definition):
    case = CASES.get(request["case"])
    if case is None:
        return answer(id=request["id"], ok=False, detail=f"no case {request['case']!r}")
    try:
        async with open_channel(request) as channel:
            await asyncio.wait_for(case(Run(request, channel, definition)), request.get("timeout_s", 30))
        answer(id=request["id"], ok=True, detail="")
    except asyncio.TimeoutError:
        answer(id=request["id"], ok=False, detail=f"no end within {request.get('timeout_s', 30)} s")
    except Exception:  # The boundary: whatever a case raises is its result, with the trace that explains it.
        answer(id=request["id"], ok=False, detail=traceback.format_exc())


async def main():
    definition = contract.load()
    loop = asyncio.get_running_loop()
    answer(ready=True, stack=f"python3-grpcio {grpc.__version__}")
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        request = json.loads(line)
        # A case that its own time-out does not end hangs below Python: then the error stream, which the test shows, says where.
        faulthandler.dump_traceback_later(request.get("timeout_s", 30) + 5)
        await run(request, definition)
        faulthandler.cancel_dump_traceback_later()


asyncio.run(main())
