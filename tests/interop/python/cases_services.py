"""The services that tools expect of every server: health and reflection, and the reading of a foreign server's contract."""

import grpc
from google.protobuf import descriptor_pb2

import contract
import expect

CASES = {}
SERVICE = "grpc.testing.TestService"


def case(function):
    CASES[function.__name__] = function
    return function


def _health(run):
    return run.stub_of("grpc.health.v1.Health"), run.contract.message("grpc.health.v1.HealthCheckRequest")


def _name(response):
    return response.DESCRIPTOR.fields_by_name["status"].enum_type.values_by_number[response.status].name


@case
async def health_check(run):
    health, request = _health(run)
    for service in ("", SERVICE):
        expect.equal("SERVING", _name(await health.Check(request(service=service))), f"health of {service!r}")


@case
async def health_check_unknown(run):
    health, request = _health(run)
    await expect.status(grpc.StatusCode.NOT_FOUND, health.Check(request(service="no.such.Service")))


@case
async def health_watch(run):
    """Reports each state as progress; the test changes the state, and the case ends when it has seen the states in params."""
    health, request = _health(run)
    call = health.Watch(request(service=run.params["service"]))
    for expected in run.params["states"]:
        expect.equal(expected, _name(await call.read()), "watched state")
        run.progress(expected)
    call.cancel()
    expect.equal(grpc.StatusCode.CANCELLED, await call.code(), "status after the cancel")


class _Reflection:
    """One conversation with the server's reflection service."""

    def __init__(self, run):
        package = f"grpc.reflection.{run.params['version']}"
        self._request = run.contract.message(f"{package}.ServerReflectionRequest")
        self._call = run.stub_of(f"{package}.ServerReflection").ServerReflectionInfo()

    async def ask(self, **question):
        request = self._request(host="interop", **question)
        await self._call.write(request)
        response = await self._call.read()
        expect.equal(request, response.original_request, "original request")
        return response

    async def files(self, **question):
        response = await self.ask(**question)
        expect.equal("file_descriptor_response", response.WhichOneof("message_response"), f"answer to {question}")
        parse = descriptor_pb2.FileDescriptorProto.FromString
        return {file.name: file for file in map(parse, response.file_descriptor_response.file_descriptor_proto)}

    async def end(self):
        await self._call.done_writing()
        await expect.ends(self._call)


@case
async def reflection_list(run):
    reflection = _Reflection(run)
    response = await reflection.ask(list_services="*")
    names = {service.name for service in response.list_services_response.service}
    missing = {SERVICE, "grpc.health.v1.Health", f"grpc.reflection.{run.params['version']}.ServerReflection"} - names
    expect.equal(set(), missing, f"services missing from {sorted(names)}")
    await reflection.end()


@case
async def reflection_files(run):
    reflection = _Reflection(run)
    for symbol in (SERVICE, f"{SERVICE}.UnaryCall", "grpc.testing.SimpleRequest"):
        files = await reflection.files(file_containing_symbol=symbol)
        if not any(file.package == "grpc.testing" for file in files.values()):
            raise AssertionError(f"{symbol} answered by {sorted(files)}")
    files = await reflection.files(file_by_filename="grpc/testing/messages.proto")
    expect.equal(True, "grpc/testing/messages.proto" in files, "the file asked for is in the answer")
    await reflection.end()


@case
async def reflection_unknown(run):
    """What the server does not know is an answer in the stream, not the end of it."""
    reflection = _Reflection(run)
    for question in ({"file_containing_symbol": "no.such.Symbol"}, {"file_by_filename": "no/such.proto"}):
        response = await reflection.ask(**question)
        expect.equal("error_response", response.WhichOneof("message_response"), f"answer to {question}")
        expect.equal(grpc.StatusCode.NOT_FOUND.value[0], response.error_response.error_code, "error code")
    await reflection.end()


@case
async def reflection_call(run):
    """What a generic tool does: learn the service from the server alone, then call it."""
    reflection = _Reflection(run)
    files = await reflection.files(file_containing_symbol=SERVICE)
    wanted = [name for file in files.values() for name in file.dependency]
    while wanted:
        name = wanted.pop()
        if name not in files:
            found = await reflection.files(file_by_filename=name)
            files.update(found)
            wanted += [dependency for file in found.values() for dependency in file.dependency]
    await reflection.end()

    learned = contract.Contract(_imports_first(files))
    request = learned.message("grpc.testing.SimpleRequest")(response_size=11)
    response = await learned.stub(run.channel, SERVICE).UnaryCall(request)
    expect.zeros(11, response.payload.body, "response payload")


def _imports_first(files):
    ordered, seen = [], set()

    def visit(name):
        if name not in seen:
            seen.add(name)
            for dependency in files[name].dependency:
                visit(dependency)
            ordered.append(files[name])

    for name in files:
        visit(name)
    return ordered
